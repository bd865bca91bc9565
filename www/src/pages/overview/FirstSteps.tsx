// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The first visit: from nothing to the first link. A step is ticked when the server has what the step makes.

import type { ComponentChildren, TargetedSubmitEvent } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { ApiError, get, problemText, send } from '../../api';
import { Button } from '../../components/Button';
import { Field } from '../../components/Field';
import { Link } from '../../components/Link';
import { ChangeForm } from '../../components/May';
import { useT, type Key } from '../../i18n';
import type { Answer } from './answer';

function NewProduct({ onDone }: { onDone: () => void }) {
    const t = useT();
    const [busy, setBusy] = useState(false);
    const [wrong, setWrong] = useState<string | null>(null);
    const submit = async (event: TargetedSubmitEvent<HTMLFormElement>) => {
        event.preventDefault();
        const fields = new FormData(event.currentTarget);
        const name = String(fields.get('name')).trim(), key = String(fields.get('key')).trim();
        setBusy(true);
        try {
            await send('/products', { method: 'POST', json: key ? { name, product_key: key } : { name } });
            setWrong(null);
            onDone();
        } catch (error) {
            setWrong(error instanceof ApiError ? problemText(error.problem) : String(error));
        } finally {
            setBusy(false);
        }
    };
    return (
        <ChangeForm needs="admin" class="first-form" onSubmit={(event) => void submit(event)}>
            <Field label={t('first.name')} hint={t('first.name-hint')} name="name" required maxLength={200} error={wrong} autocomplete="off" />
            <Field label={t('first.key')} hint={t('first.key-hint')} name="key" maxLength={64} pattern="[A-Za-z0-9._\-]+" autocomplete="off" spellcheck={false} />
            <Button needs="admin" kind="primary" type="submit" busy={busy}>{t('first.add')}</Button>
        </ChangeForm>
    );
}

function Step({ text, done, isNext, children }: { text: string; done: boolean; isNext: boolean; children: ComponentChildren }) {
    const t = useT();
    return (
        <li class={done ? 'done' : ''} aria-current={isNext ? 'step' : undefined}>
            <span>{text}{done && <span class="step-done"> {t('first.done')}</span>}</span>
            {isNext && children}
        </li>
    );
}

// The product that was added first, when no firmware names one yet.
function useProduct(answer: Answer): string {
    const known = answer.firmwares[0]?.product;
    const [first, setFirst] = useState('');
    useEffect(() => {
        if (!known && answer.steps.product)
            get<{ items: { product_key: string }[] }>('/products').then(({ items }) => setFirst(items[0]?.product_key ?? ''), () => {});
    }, [known, answer.steps.product]);
    return known ?? first;
}

export function FirstSteps({ answer, onChange }: { answer: Answer; onChange: () => void }) {
    const t = useT();
    const { steps, firmwares } = answer;
    const product = useProduct(answer);
    const query = { ...(product ? { product } : {}), ...(firmwares[0] ? { firmware: firmwares[0].firmware } : {}) };
    const names = ['product', 'images', 'format', 'target', 'link'] as const;
    const next = names.find((name) => !steps[name]);
    const actions: Record<(typeof names)[number], ComponentChildren> = {
        product: <NewProduct onDone={onChange} />,
        images: <Link class="button primary" to="/firmware" query={query}>{t('first.go-images')}</Link>,
        format: <Link class="button primary" to="/firmware" query={{ ...query, tab: 'settings' }}>{t('first.go-format')}</Link>,
        target: <Link class="button primary" to="/firmware" query={query}>{t('first.go-target')}</Link>,
        link: <Link class="button primary" to="/devices" query={product ? { product } : {}}>{t('first.go-link')}</Link>,
    };
    return (
        <section class="empty" aria-labelledby="first">
            <h2 id="first">{t(firmwares.length ? 'first.going-on' : 'first.title')}</h2>
            <p>{t('first.text')}</p>
            <ol class="steps">
                {names.map((name) => (
                    <Step key={name} text={t(`first.${name}` satisfies Key)} done={steps[name]} isNext={name === next}>{actions[name]}</Step>
                ))}
            </ol>
        </section>
    );
}
