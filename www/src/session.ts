// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Who is logged in. The secret is in a cookie that scripts cannot read.

import { ApiError, get, loginRequired, send, type Problem } from './api';
import { Store } from './store';

export interface Session {
    login: 'session' | 'token' | 'none';
    token: string | null; // the first digits of the hash of the token
    since: number | null;
    ends_at: number | null;
}

export interface LoginState {
    session: Session | null; // null: not known yet
    ended: boolean;          // there was one, and it is over
    problem: Problem | null; // of a one-time login, or no answer
}

export const login = new Store<LoginState>({ session: null, ended: false, problem: null });
export const nobody: Session = { login: 'none', token: null, since: null, ends_at: null };

export async function loadSession(): Promise<void> {
    login.set({ session: await get<Session>('/session'), ended: false, problem: null });
}

export async function logIn(body: { token: string } | { code: string }): Promise<void> {
    await send('/session', { method: 'POST', json: body });
    await loadSession();
}

export async function logOut(): Promise<void> {
    await send('/session', { method: 'DELETE' });
    login.set({ session: nobody, ended: false, problem: null });
}

loginRequired.follow(() => {
    const { session, ended, problem } = login.value; // several calls may get this answer
    login.set({ session: nobody, ended: ended || session?.login === 'session', problem });
});

// A one-time login is behind the # of the address, which browsers send to nobody. It leaves the address at once.
function takeCode(): string | null {
    const code = /^#code=([0-9a-f]+)$/.exec(location.hash)?.[1] ?? null;
    if (code)
        history.replaceState(history.state, '', location.pathname + location.search);
    return code;
}

export async function startSession(): Promise<void> {
    const code = takeCode();
    try {
        await (code ? logIn({ code }) : loadSession());
    } catch (error) {
        const problem = error instanceof ApiError ? error.problem : null;
        await loadSession().catch(() => {});
        if (login.value.session?.login !== 'session')
            login.set({ session: nobody, ended: false, problem });
    }
}
