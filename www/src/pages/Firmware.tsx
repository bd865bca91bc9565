// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { Command, Empty } from '../components/Empty';
import { useT } from '../i18n';

// Not built yet: says how to do it meanwhile.
export function Firmware() {
    const t = useT();
    return <Empty title={t('soon.title')}><p>{t('soon.firmware')}</p><Command>dfotactl matrix FIRMWARE</Command></Empty>;
}
