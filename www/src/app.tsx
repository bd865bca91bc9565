// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The frame around every page: header, navigation, main part, messages.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';

import { ApiError, isOnline, problemText } from './api';
import { Button } from './components/Button';
import { Dialog } from './components/Dialog';
import { Icon } from './components/Icon';
import { Link } from './components/Link';
import { Palette } from './components/Palette';
import { toast, Toasts } from './components/Toast';
import { language, languages, setLanguage, useT, type Language } from './i18n';
import { startLive } from './live';
import { pages } from './pages';
import { Login } from './pages/Login';
import { NotFound } from './pages/NotFound';
import { base, usePlace } from './router';
import type { Hit } from './search';
import { login, logOut } from './session';
import { useStore } from './store';
import { setTheme, theme, themes } from './theme';

const themeIcons = { auto: 'auto', light: 'sun', dark: 'moon' } as const;

function nextTheme(): void {
    setTheme(themes[(themes.indexOf(theme.value) + 1) % themes.length]!);
}

function leave(): void {
    logOut().catch((error: unknown) => toast(error instanceof ApiError ? problemText(error.problem) : String(error), 'error'));
}

function About({ open, onClose }: { open: boolean; onClose: () => void }) {
    const t = useT();
    return (
        <Dialog title={t('about.title')} open={open} onClose={onClose}>
            <p>{t('about.text')}</p>
            <p><a href={`${base}/licences.txt`} target="_blank" rel="noopener">{t('about.licences')}</a></p>
        </Dialog>
    );
}

// Language and theme: also before the login.
function Preferences() {
    const t = useT();
    const now = useStore(theme);
    const other = (useStore(language) === 'zh' ? 'en' : 'zh') satisfies Language;
    return (
        <>
            <Button icon="language" onClick={() => setLanguage(other)} lang={other === 'zh' ? 'zh-CN' : 'en'}>{languages[other]}</Button>
            <Button icon={themeIcons[now]} label={t('theme.switch', { theme: t(`theme.${now}`) })} onClick={nextTheme} />
        </>
    );
}

function Navigation({ current, onGo }: { current: string; onGo: () => void }) {
    const t = useT();
    return (
        <nav id="navigation" aria-label={t('nav.label')}>
            <ul>
                {pages.map(({ path, title, icon }) => (
                    <li key={path}>
                        <Link to={path} aria-current={path === current ? 'page' : undefined} onClick={onGo}><Icon name={icon} />{t(title)}</Link>
                    </li>
                ))}
            </ul>
        </nav>
    );
}

// The title of the page gets the focus when the page changes, so that a screen reader tells it and Tab goes on from there.
function Main({ current }: { current: string }) {
    const t = useT();
    const heading = useRef<HTMLHeadingElement>(null);
    const isFirst = useRef(true);
    const page = pages.find(({ path }) => path === current);
    const title = t(page?.title ?? 'not-found.title');
    useLayoutEffect(() => { document.title = `${title} · dfota`; }, [title]);
    useLayoutEffect(() => {
        if (!isFirst.current) {
            heading.current?.focus({ preventScroll: true });
            scrollTo(0, 0);
        }
        isFirst.current = false;
    }, [current]);
    const View = page?.view ?? NotFound;
    return (
        <main id="main" tabIndex={-1}>
            <h1 ref={heading} tabIndex={-1}>{title}</h1>
            <View key={current} />
        </main>
    );
}

function useShortcut(run: () => void): void {
    useEffect(() => {
        const onKey = (event: KeyboardEvent) => {
            if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === 'k') {
                event.preventDefault();
                run();
            }
        };
        addEventListener('keydown', onKey);
        return () => removeEventListener('keydown', onKey);
    }, [run]);
}

function Shell() {
    const t = useT();
    const { path } = usePlace();
    const online = useStore(isOnline);
    const [menu, setMenu] = useState(false);
    const [palette, setPalette] = useState(false);
    const [about, setAbout] = useState(false);
    const actions = useMemo((): Hit[] => [
        { kind: 'action', label: t('theme.next'), run: nextTheme },
        ...(Object.keys(languages) as Language[]).filter((code) => code !== language.value)
            .map((code): Hit => ({ kind: 'action', label: languages[code], run: () => setLanguage(code) })),
        { kind: 'action', label: t('about.title'), run: () => setAbout(true) },
        { kind: 'action', label: t('action.log-out'), run: leave },
    ], [t, palette]);
    const toggle = useMemo(() => () => setPalette((open) => !open), []);
    useShortcut(toggle);
    useEffect(startLive, []);
    return (
        <div class={`shell ${menu ? 'menu-open' : ''}`}>
            <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById('main')?.focus(); }}>{t('nav.skip')}</a>
            <header class="bar">
                <span class="menu-button">
                    <Button icon={menu ? 'close' : 'menu'} label={t('nav.menu')} aria-expanded={menu} aria-controls="navigation" onClick={() => setMenu(!menu)} />
                </span>
                <Link to="/" class="brand">dfota</Link>
                <button type="button" class="find" onClick={() => setPalette(true)} aria-keyshortcuts="Control+K">
                    <Icon name="search" /><span>{t('palette.open')}</span><kbd>Ctrl K</kbd>
                </button>
                <div class="tools">
                    <Preferences />
                    <Button icon="info" label={t('about.title')} onClick={() => setAbout(true)} />
                    <Button icon="out" label={t('action.log-out')} onClick={leave} />
                </div>
            </header>
            <div class="offline-slot" role="status">{!online && <p class="offline">{t('offline.text')}</p>}</div>
            <Navigation current={path} onGo={() => setMenu(false)} />
            <Main current={path} />
            <Palette open={palette} onClose={() => setPalette(false)} actions={actions} />
            <About open={about} onClose={() => setAbout(false)} />
            <Toasts />
        </div>
    );
}

export function App() {
    const { session } = useStore(login);
    if (!session)
        return <p class="loading" aria-busy="true" />;
    if (session.login === 'session')
        return <Shell />;
    return (
        <div class="outside">
            <header class="tools"><Preferences /></header>
            <Login />
        </div>
    );
}
