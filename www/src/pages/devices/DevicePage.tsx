// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// One device: facts, what an admin can do, links, transcripts, the decision for its next request, and its timeline.

import { problemText } from '../../api';
import { Empty } from '../../components/Empty';
import { Link } from '../../components/Link';
import { Outdated } from '../../components/Outdated';
import { useT } from '../../i18n';
import { useLiveFetch } from '../../live';
import { Attempts } from './Attempts';
import { DeviceActions } from './DeviceActions';
import { Explain } from './Explain';
import { Facts } from './Facts';
import { Links } from './Links';
import { devicePath, type Device } from './model';
import { Timeline } from './Timeline';
import { Transcripts } from './Transcripts';

export interface DeviceProps { product: string; id: string; device: Device; again: () => void }

// Changes when the history of the device may have got longer.
const stampOf = (device: Device) => JSON.stringify([device.check_ins, device.confirmed_version, device.build_name, device.confirmed_at, device.claim, device.state_since, device.held_out, device.tags,
    device.note, device.blocked, device.links.map(({ revoked_at }) => revoked_at), device.attempts.map(({ state, bytes_acked: bytes, evidence }) => [state, bytes, evidence.length])]);

export function DevicePage({ product, id }: { product: string; id: string }) {
    const t = useT();
    const { data: device, error, again } = useLiveFetch<Device>(devicePath(product, id), ['devices', 'packages']);
    const back = <p><Link to="/devices" query={{ product }}>← {t('devices.back')}</Link></p>;
    if (!device) {
        if (!error)
            return <p class="loading" aria-busy="true" />;
        if (error.status === 404)
            return <>{back}<Empty title={t('device.unknown')}><p>{t('device.unknown-text', { device: id, product })}</p></Empty></>;
        return <>{back}<p class="error" role="alert">{problemText(error)}</p></>;
    }
    const props: DeviceProps = { product, id, device, again };
    const stamp = stampOf(device);
    return (
        <>
            {back}
            <Outdated error={error} />
            <h2 class="device-id"><span class="kind">{device.id_kind}</span> {device.device}</h2>
            <Facts {...props} />
            <DeviceActions {...props} />
            <Links {...props} />
            <Attempts device={device} />
            <Explain product={product} id={id} stamp={stamp} />
            <Transcripts {...props} stamp={stamp} />
            <Timeline product={product} id={id} stamp={stamp} />
        </>
    );
}
