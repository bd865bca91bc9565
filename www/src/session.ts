// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Who is logged in. The secret is in a cookie that scripts cannot read.

import { ApiError, get, loginRequired, send, type Problem } from './api';
import { Store, useStore } from './store';

// What a token may do; each scope includes the ones before.
export const scopes = ['read', 'upload', 'operate', 'admin'] as const;
export type Scope = (typeof scopes)[number];

export interface Session {
    login: 'session' | 'token' | 'none';
    token: string | null; // the first digits of the hash of the token
    name: string | null;  // of the token
    scope: Scope | null;
    product: string | null; // null: all products
    since: number | null;
    ends_at: number | null;
}

export interface LoginState {
    session: Session | null; // null: not known yet
    ended: boolean;          // there was one, and it is over
    problem: Problem | null; // of a one-time login, or no answer
}

export const login = new Store<LoginState>({ session: null, ended: false, problem: null });
export const nobody: Session = { login: 'none', token: null, name: null, scope: null, product: null, since: null, ends_at: null };

export function mayUse(scope: Scope | null, needed: Scope): boolean {
    return scope !== null && scopes.indexOf(scope) >= scopes.indexOf(needed);
}

export function useScope(): { scope: Scope | null; product: string | null } {
    const { session } = useStore(login);
    return { scope: session?.scope ?? null, product: session?.product ?? null };
}

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
