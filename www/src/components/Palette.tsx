// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Ctrl-K: every page, action, firmware and device.

import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';

import { useT } from '../i18n';
import { pages } from '../pages';
import { go, href } from '../router';
import { search, type Hit } from '../search';

type Props = { open: boolean; onClose: () => void; actions: Hit[] };

function useFound(text: string, open: boolean): Hit[] {
    const [found, setFound] = useState<Hit[]>([]);
    useEffect(() => {
        setFound([]);
        if (!open || text.length < 2)
            return;
        const stop = new AbortController();
        const timer = window.setTimeout(() => search(text, stop.signal).then(setFound, () => {}), 150);
        return () => {
            clearTimeout(timer);
            stop.abort();
        };
    }, [text, open]);
    return found;
}

export function Palette({ open, onClose, actions }: Props) {
    const t = useT();
    const id = useId();
    const element = useRef<HTMLDialogElement>(null);
    const [text, setText] = useState('');
    const [chosen, setChosen] = useState(0);
    const found = useFound(text.trim(), open);

    const hits = useMemo(() => {
        const wanted = text.trim().toLowerCase();
        const own: Hit[] = [...pages.map(({ path, title }): Hit => ({ kind: 'page', label: t(title), href: href(path) })), ...actions];
        return [...own.filter(({ label }) => label.toLowerCase().includes(wanted)), ...found];
    }, [text, found, actions, t]);
    const current = Math.min(chosen, hits.length - 1);

    useLayoutEffect(() => {
        const dialog = element.current;
        if (open && dialog && !dialog.open) {
            setText('');
            setChosen(0);
            dialog.showModal();
        } else if (!open && dialog?.open) {
            dialog.close();
        }
    }, [open]);
    useEffect(() => document.getElementById(`${id}-${current}`)?.scrollIntoView({ block: 'nearest' }), [current, id]);

    const take = (hit: Hit | undefined) => {
        if (!hit)
            return;
        onClose();
        if (hit.run)
            hit.run();
        else if (hit.href) {
            const url = new URL(hit.href, location.href);
            go(url.pathname.slice(href('').length) || '/', Object.fromEntries(url.searchParams));
        }
    };
    const onKey = (event: KeyboardEvent) => {
        const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
        if (event.isComposing)
            return;
        if (step && hits.length) {
            event.preventDefault();
            setChosen((current + step + hits.length) % hits.length);
        } else if (event.key === 'Enter') {
            event.preventDefault();
            take(hits[current]);
        }
    };
    return (
        <dialog ref={element} class="dialog palette" aria-label={t('palette.title')} onClose={onClose}
            onClick={(event) => { if (event.target === element.current) onClose(); }}>
            {open && (
                <div class="palette-body">
                    <input type="text" role="combobox" aria-expanded="true" aria-controls={`${id}-list`} aria-autocomplete="list"
                        aria-activedescendant={hits.length ? `${id}-${current}` : undefined} aria-label={t('palette.title')}
                        placeholder={t('palette.placeholder')} value={text} autocomplete="off" spellcheck={false} autoFocus
                        onInput={(event) => { setText(event.currentTarget.value); setChosen(0); }} onKeyDown={onKey} />
                    <ul role="listbox" id={`${id}-list`} aria-label={t('palette.results')}>
                        {hits.map((hit, i) => (
                            <li key={`${hit.kind}-${hit.label}-${hit.hint ?? ''}`} id={`${id}-${i}`} role="option" aria-selected={i === current}
                                onMouseMove={() => setChosen(i)} onClick={() => take(hit)}>
                                <span>{hit.label}</span>
                                <span class="hint">{hit.hint ?? t(`palette.${hit.kind}`)}</span>
                            </li>
                        ))}
                    </ul>
                    {hits.length === 0 && <p class="hint" role="status">{t('palette.nothing')}</p>}
                </div>
            )}
        </dialog>
    );
}
