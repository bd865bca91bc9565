// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

import { ApiError, problemText, type Problem } from '../api';
import { Button } from '../components/Button';
import { Command } from '../components/Empty';
import { Field } from '../components/Field';
import { useT } from '../i18n';
import { login, logIn } from '../session';
import { useStore } from '../store';

// Shown instead of the page while nobody is logged in: the address stays, and the page follows the login.
export function Login() {
    const t = useT();
    const { ended, problem: before } = useStore(login);
    const [problem, setProblem] = useState<Problem | null>(null);
    const [busy, setBusy] = useState(false);
    const form = useRef<HTMLFormElement>(null);
    useEffect(() => { document.title = `${t('login.title')} · dfota`; }, [t]);
    useLayoutEffect(() => form.current?.querySelector('input')?.focus(), []);

    const submit = async (event: SubmitEvent) => {
        event.preventDefault();
        const token = String(new FormData(form.current!).get('token')).trim();
        if (!token)
            return;
        setBusy(true);
        try {
            await logIn({ token });
        } catch (error) {
            setProblem(error instanceof ApiError ? error.problem : { status: 0, code: 'offline', detail: String(error) });
            setBusy(false);
            form.current?.querySelector('input')?.select();
        }
    };
    const last = problem ?? before;
    const wrong = last && (last.status !== 401 ? problemText(last) : t(problem ? 'login.wrong' : 'login.code-used'));
    return (
        <main class="login" id="main" tabIndex={-1}>
            <form ref={form} class="card" onSubmit={(event) => void submit(event)}>
                <h1>dfota</h1>
                {ended && !problem && <p role="status">{t('login.ended')}</p>}
                <Field label={t('login.token')} hint={t('login.hint')} error={wrong} name="token" type="password"
                    autocomplete="current-password" spellcheck={false} required />
                <Button kind="primary" type="submit" busy={busy}>{t('login.submit')}</Button>
                <div class="login-help">
                    <p>{t('login.once')}</p>
                    <Command>dfotactl console</Command>
                </div>
            </form>
        </main>
    );
}
