// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Images by drag and drop anywhere on the page, or from a file dialog.

import { useEffect, useRef, useState } from 'preact/hooks';

import { problemText } from '../../api';
import { Button } from '../../components/Button';
import { Field } from '../../components/Field';
import { Link } from '../../components/Link';
import { ChangeForm, May } from '../../components/May';
import { bytes } from '../../format';
import { useT } from '../../i18n';
import { mayUse, useScope } from '../../session';
import { useStore } from '../../store';
import { nameOf } from './build';
import { Hash, Note, Tag } from './parts';
import { cancel, clear, isOver, upload, uploadAgain, uploads, type Sending } from './uploads';

const rawHint = /\. If it really is a raw image, add format=raw$/; // a button does that here
const commandHint = / \(dfotactl: .*\)$/; // a form does that here
const variantHint = /, for example variant=([a-z0-9._-]+)$/; // a form asks for it here
const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;

// The whole window takes files: a file that falls beside the field would replace the console.
export function useDrop(take: (files: File[]) => void): boolean {
    const [isOverPage, setOver] = useState(false);
    const last = useRef(take);
    last.current = take;
    useEffect(() => {
        const onOver = (event: DragEvent) => {
            if (!hasFiles(event))
                return;
            event.preventDefault();
            setOver(true);
        };
        const onLeave = (event: DragEvent) => { if (!event.relatedTarget) setOver(false); };
        const onDrop = (event: DragEvent) => {
            if (!hasFiles(event))
                return;
            event.preventDefault();
            setOver(false);
            last.current([...event.dataTransfer!.files]);
        };
        addEventListener('dragover', onOver);
        addEventListener('dragleave', onLeave);
        addEventListener('drop', onDrop);
        return () => {
            removeEventListener('dragover', onOver);
            removeEventListener('dragleave', onLeave);
            removeEventListener('drop', onDrop);
        };
    }, []);
    return isOverPage;
}

type Zone = { text: string; button: string; multiple?: boolean; onFiles: (files: File[]) => void };

export function DropZone({ text, button, multiple = false, onFiles }: Zone) {
    const input = useRef<HTMLInputElement>(null);
    const may = mayUse(useScope().scope, 'upload');
    const isOverPage = useDrop((files) => { if (may) onFiles(files); });
    return may && (
        <div class={`drop ${isOverPage ? 'over' : ''}`}>
            <p>{text}</p>
            <Button needs="upload" onClick={() => input.current?.click()}>{button}</Button>
            <input ref={input} type="file" multiple={multiple} hidden aria-label={button} onChange={(event) => {
                const files = [...event.currentTarget.files ?? []];
                event.currentTarget.value = '';
                if (files.length)
                    onFiles(files);
            }} />
        </div>
    );
}

// For a file whose name does not tell what it is.
function NameForm({ one, firmware }: { one: Sending; firmware: string | undefined }) {
    const t = useT();
    const [name, setName] = useState(firmware ?? one.name?.firmware ?? '');
    const [version, setVersion] = useState(one.name?.version ?? '');
    return (
        <ChangeForm needs="upload" class="form inline" onSubmit={(event) => { event.preventDefault(); uploadAgain(one.id, { name: { firmware: name, version } }); }}>
            <Field label={t('palette.firmware')} value={name} required maxLength={100} onInput={(event) => setName(event.currentTarget.value)} />
            <Field label={t('firmware.version')} value={version} required maxLength={120} onInput={(event) => setVersion(event.currentTarget.value)} />
            <Button needs="upload" type="submit">{t('firmware.upload-named')}</Button>
        </ChangeForm>
    );
}

// For another build of a version that is there.
function VariantForm({ one }: { one: Sending }) {
    const t = useT();
    const [variant, setVariant] = useState(variantHint.exec(one.problem?.detail ?? '')?.[1] ?? '');
    return (
        <ChangeForm needs="upload" class="form inline" onSubmit={(event) => { event.preventDefault(); uploadAgain(one.id, { variant }); }}>
            <Field label={t('firmware.variant')} hint={t('firmware.variant-hint')} value={variant} required maxLength={32} pattern={'[a-z0-9._\\-]+'}
                onInput={(event) => setVariant(event.currentTarget.value)} />
            <Button needs="upload" type="submit">{t('firmware.upload-variant')}</Button>
        </ChangeForm>
    );
}

function Refused({ one, firmware }: { one: Sending; firmware: string | undefined }) {
    const t = useT();
    const problem = one.problem!;
    const allowsRaw = problem.code === 'not-an-image' && rawHint.test(problem.detail);
    const isUnnamed = ['bad-version', 'wrong-firmware', 'bad-name'].includes(problem.code);
    return (
        <>
            <p class="error" role="alert">{problemText(problem).replace(rawHint, '.').replace(commandHint, '').replace(variantHint, '.')}</p>
            {isUnnamed && <NameForm one={one} firmware={firmware} />}
            {['image-conflict', 'several-builds'].includes(problem.code) && <VariantForm one={one} />}
            {allowsRaw && (
                <div class="row">
                    <Button needs="upload" onClick={() => uploadAgain(one.id, { raw: true })}>{t('firmware.upload-raw')}</Button>
                    <span class="hint">{t('firmware.upload-raw-hint')}</span>
                </div>
            )}
            {problem.code === 'offline' && <div><Button needs="upload" onClick={() => uploadAgain(one.id, {})}>{t('firmware.upload-again')}</Button></div>}
        </>
    );
}

function Recognised({ one, firmware }: { one: Sending; firmware: string | undefined }) {
    const t = useT();
    const image = one.image!;
    return (
        <>
            <p>
                <Link class="name" to="/firmware" query={{ product: one.product, firmware: image.firmware }}>{image.firmware}</Link>{' '}
                <strong>{nameOf(image)}</strong>
                {firmware && image.firmware !== firmware && <>{' '}<Tag tone="warn">{t('firmware.upload-elsewhere')}</Tag></>}
            </p>
            <p class="hint">{image.content ?? t('firmware.content-unknown')}</p>
            <p class="hint">{bytes(image.size)} · SHA-256 <Hash value={image.sha256} /></p>
            {image.firmware_created && image.notice && <Note>{image.notice}</Note>}
            {image.warnings.map((text) => <Note key={text}>{text}</Note>)}
        </>
    );
}

function Line({ one, firmware }: { one: Sending; firmware: string | undefined }) {
    const t = useT();
    const isMoving = one.state === 'sending' || one.state === 'checking';
    return (
        <li class={`upload ${one.state}`}>
            <div class="row">
                <span class="name">{one.file.name}</span>
                <span class="state">{t(`firmware.upload-${one.state}`)}</span>
                {!isOver(one) && <Button icon="close" label={t('firmware.upload-cancel', { name: one.file.name })} onClick={() => cancel(one)} />}
            </div>
            {isMoving && (
                <>
                    <progress max={Math.max(one.file.size, 1)} value={one.sent} aria-label={one.file.name} />
                    <p class="hint">{t('firmware.upload-sent', { sent: bytes(one.sent), size: bytes(one.file.size) })}</p>
                </>
            )}
            {one.state === 'failed' && <Refused one={one} firmware={firmware} />}
            {one.state === 'stored' && <Recognised one={one} firmware={firmware} />}
        </li>
    );
}

// `firmware`: the one whose page this is. A file goes where its name says.
export function Upload({ product, firmware, onStored }: { product: string; firmware?: string; onStored: () => void }) {
    const t = useT();
    const own = useStore(uploads).filter((one) => one.product === product);
    const stored = own.filter(({ state }) => state === 'stored').length;
    useEffect(() => { if (stored) onStored(); }, [stored]);
    return (
        <>
            <DropZone text={t('firmware.drop')} button={t('firmware.choose-files')} multiple onFiles={(files) => upload(product, files)} />
            <May needs="upload"><p class="hint">{t('firmware.drop-hint')}</p></May>
            {own.length > 0 && (
                <>
                    <ul class="uploads" aria-label={t('firmware.uploads')}>{own.map((one) => <Line key={one.id} one={one} firmware={firmware} />)}</ul>
                    {own.some(isOver) && <div><Button onClick={() => clear(product)}>{t('firmware.upload-clear')}</Button></div>}
                </>
            )}
        </>
    );
}
