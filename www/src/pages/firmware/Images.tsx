// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The images of a firmware: list, upload, and the changes of one image in a dialog.

import { useState } from 'preact/hooks';

import { send } from '../../api';
import { Button } from '../../components/Button';
import { Dialog } from '../../components/Dialog';
import { Empty } from '../../components/Empty';
import { Field } from '../../components/Field';
import { Link } from '../../components/Link';
import { ChangeForm } from '../../components/May';
import { Table } from '../../components/Table';
import { number, time } from '../../format';
import { useT } from '../../i18n';
import { useLiveFetch } from '../../live';
import { href, useQuery } from '../../router';
import { imagePath, nameOf } from './build';
import type { Tab } from './One';
import { Facts, Failure, Hash, Note, Select, Tag, useCall } from './parts';
import type { Image, Items, Waypoint } from './types';
import { Upload } from './Upload';

const waypoints: Waypoint[] = ['allowed', 'forbidden', 'required'];

function Marks({ image, target }: { image: Image; target: string | null }) {
    const t = useT();
    return (
        <span class="tags">
            {image.version === target && <Tag tone="good">{t('firmware.target')}</Tag>}
            {image.default && <Tag>{t('firmware.build-default')}</Tag>}
            {image.kind === 'full' && <Tag>{t('firmware.full')}</Tag>}
            {image.withdrawn && <Tag tone="bad">{t('firmware.withdrawn')}</Tag>}
            {image.waypoint !== 'allowed' && <Tag tone="warn">{t(`firmware.waypoint-${image.waypoint}`)}</Tag>}
            {image.warnings.length > 0 && <Tag tone="warn">{t('firmware.warnings', { count: image.warnings.length })}</Tag>}
        </span>
    );
}

function Withdraw({ image, change, busy }: { image: Image; change: (json: unknown) => void; busy: boolean }) {
    const t = useT();
    const [reason, setReason] = useState('');
    if (image.withdrawn)
        return (
            <section>
                <h3>{t('firmware.withdrawn')}</h3>
                <p>{t('firmware.withdrawn-since', { time: time(image.withdrawn.at), reason: image.withdrawn.reason })}</p>
                <div><Button needs="operate" busy={busy} onClick={() => change({ withdrawn: false })}>{t('firmware.restore')}</Button></div>
            </section>
        );
    return (
        <ChangeForm needs="operate" class="form" onSubmit={(event) => { event.preventDefault(); change({ withdrawn: true, reason }); }}>
            <h3>{t('firmware.withdraw')}</h3>
            <Field label={t('firmware.reason')} hint={t('firmware.withdraw-hint')} value={reason} required maxLength={300}
                onInput={(event) => setReason(event.currentTarget.value)} />
            <div><Button needs="operate" kind="danger" type="submit" busy={busy}>{t('firmware.withdraw')}</Button></div>
        </ChangeForm>
    );
}

function Stops({ image, change, busy }: { image: Image; change: (json: unknown) => void; busy: boolean }) {
    const t = useT();
    const [use, setUse] = useState(image.waypoint);
    const [reason, setReason] = useState(image.waypoint_reason ?? '');
    const save = () => change({ waypoint: use, ...(use !== 'allowed' && reason && { reason }) });
    return (
        <ChangeForm needs="operate" class="form" onSubmit={(event) => { event.preventDefault(); save(); }}>
            <h3>{t('firmware.waypoint')}</h3>
            <Select label={t('firmware.waypoint-use')} value={use} options={waypoints.map((one) => [one, t(`firmware.waypoint-${one}-text`)])}
                onPick={(one) => setUse(one as Waypoint)} />
            {use !== 'allowed' && (
                <Field label={t('firmware.reason')} value={reason} required={use === 'required'} maxLength={300}
                    onInput={(event) => setReason(event.currentTarget.value)} />
            )}
            <div><Button needs="operate" type="submit" busy={busy}>{t('action.save')}</Button></div>
        </ChangeForm>
    );
}

function Delete({ image, remove, busy }: { image: Image; remove: () => void; busy: boolean }) {
    const t = useT();
    const [sure, setSure] = useState(false);
    return (
        <section>
            <h3>{t('firmware.delete')}</h3>
            <p class="hint">{t('firmware.delete-hint')}</p>
            <div class="row">
                {sure ? <Button needs="admin" kind="danger" busy={busy} onClick={remove}>{t('firmware.delete-sure', { version: nameOf(image) })}</Button>
                    : <Button needs="admin" kind="danger" onClick={() => setSure(true)}>{t('firmware.delete')}</Button>}
            </div>
        </section>
    );
}

// Of a version with several builds.
function Default({ image, change, busy }: { image: Image; change: (json: unknown) => void; busy: boolean }) {
    const t = useT();
    return (
        <section>
            <h3>{t('firmware.build-default')}</h3>
            <p class="hint">{t('firmware.build-default-hint')}</p>
            <div>
                <Button needs="operate" busy={busy} onClick={() => change({ default: !image.default })}>
                    {t(image.default ? 'firmware.build-default-end' : 'firmware.build-default-set')}
                </Button>
            </div>
        </section>
    );
}

const hex = (address: number) => `0x${address.toString(16).toUpperCase()}`;

// Where the script of a LuatOS release is: packages lead only between releases with the same place.
function placeOf({ script }: Image, t: ReturnType<typeof useT>): string | null {
    if (!script)
        return null;
    const count = (key: 'firmware.script-area' | 'firmware.script-kept', value: number | null) => value !== null && t(key, { count: value });
    return [
        hex(script.address), count('firmware.script-area', script.area_bytes), count('firmware.script-kept', script.kept_bytes),
        script.bits !== null && t('firmware.script-bits', { bits: script.bits }),
    ].filter(Boolean).join(' · ');
}

function Details({ at, image, images, again, onClose }: { at: string; image: Image; images: Image[]; again: () => void; onClose: () => void }) {
    const t = useT();
    const { busy, problem, run } = useCall();
    const where = imagePath(at, images, image);
    const isAlone = images.filter(({ version }) => version === image.version).length < 2;
    const change = async (json: unknown) => {
        if (await run(() => send(where, { method: 'PATCH', json })))
            again();
    };
    const remove = async () => {
        if (await run(() => send(where, { method: 'DELETE' }))) {
            onClose();
            again();
        }
    };
    return (
        <div class="stack">
            <Facts rows={[
                [t('firmware.variant'), image.variant],
                [t('firmware.kind'), t(`firmware.kind-${image.kind}`)],
                [t('firmware.core'), image.core],
                [t('firmware.content'), image.content],
                [t('firmware.script'), placeOf(image, t)],
                [t('firmware.size'), t('firmware.bytes', { count: image.size })],
                ['SHA-256', <Hash value={image.sha256} />],
                [t('firmware.file'), image.file_name && <span class="name">{image.file_name}</span>],
                [t('firmware.uploaded'), time(image.uploaded_at)],
            ]} />
            {image.warnings.map((text) => <Note key={text}>{text}</Note>)}
            <p><a href={`/api/v1${imagePath(at, images, image, '/content')}`} download>{t('firmware.download')}</a></p>
            <Failure problem={problem} />
            {(!isAlone || image.default) && <Default image={image} change={(json) => void change(json)} busy={busy} />}
            <Withdraw key={`w-${nameOf(image)}-${Boolean(image.withdrawn)}`} image={image} change={(json) => void change(json)} busy={busy} />
            <Stops image={image} change={(json) => void change(json)} busy={busy} />
            <Delete image={image} remove={() => void remove()} busy={busy} />
        </div>
    );
}

interface Missing { version: string; devices: number }

function MissingBases({ product, at, info }: Tab) {
    const t = useT();
    const { data } = useLiveFetch<Items<Missing>>(`${at}/missing-bases`, ['devices', 'images']);
    if (!data?.items.length)
        return null;
    return (
        <Note>
            <p>{t('firmware.missing')}</p>
            <ul class="plain">
                {data.items.slice(0, 10).map(({ version, devices }) => (
                    <li key={version}>
                        {t('firmware.missing-one', { version, count: devices })}{' '}
                        <a href={href('/devices', { product, filter: `firmware="${info.firmware}" and version=${version}` })}>{t('firmware.show-devices')}</a>
                    </li>
                ))}
            </ul>
        </Note>
    );
}

export function Images(tab: Tab) {
    const t = useT();
    const { product, at, info, images, again } = tab;
    const [open, setOpen] = useQuery('image');
    const [wanted] = useQuery('upload'); // a version that devices run
    const shown = images.find((image) => nameOf(image) === open);
    return (
        <>
            <MissingBases {...tab} />
            {images.length === 0 && <Empty title={t('first.title')}><p>{t('firmware.first-upload')}</p></Empty>}
            {images.length > 0 && (
                <Table caption={t('firmware.images-caption', { count: images.length })} rows={[...images].reverse()} rowKey={nameOf} columns={[
                    { title: t('firmware.version'), cell: (image) => (
                        <button type="button" class="link" onClick={() => setOpen(nameOf(image))}>{nameOf(image)}</button>
                    ) },
                    { title: t('firmware.marks'), cell: (image) => <Marks image={image} target={info.target} /> },
                    { title: t('firmware.size'), cell: ({ size }) => number(size), numeric: true },
                    { title: 'SHA-256', cell: ({ sha256 }) => <Hash value={sha256} /> },
                    { title: t('firmware.content'), cell: ({ content }) => <span class="name">{content ?? ''}</span> },
                    { title: t('firmware.uploaded'), cell: ({ uploaded_at: at_ms }) => <span class="nowrap">{time(at_ms)}</span> },
                ]} />
            )}
            <section aria-labelledby="upload-title">
                <h2 id="upload-title">{t('firmware.upload-title')}</h2>
                {wanted && !images.some(({ version }) => version === wanted) && <p class="hint" role="status">{t('firmware.upload-wanted', { version: wanted })}</p>}
                <Upload product={product} firmware={info.firmware} onStored={again} />
            </section>
            <Dialog title={`${info.firmware} ${open}`} open={Boolean(shown)} onClose={() => setOpen('')}>
                {shown && <Details at={at} image={shown} images={images} again={again} onClose={() => setOpen('')} />}
                {shown && shown.kind === 'image' && (
                    <p><Link to="/firmware" query={{ product, firmware: info.firmware, tab: 'matrix' }}>{t('firmware.to-matrix')}</Link></p>
                )}
            </Dialog>
        </>
    );
}
