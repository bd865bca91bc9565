// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
import { Button } from '../../components/Button';
import { useT } from '../../i18n';
import { newStage, type StageRow } from './fields';

type Props = { stages: StageRow[]; onChange: (stages: StageRow[]) => void };
type NumberName = Exclude<keyof StageRow, 'kind'>;

// The stages and their gates: a table to type in. A stage is one row.
export function Stages({ stages, onChange }: Props) {
    const t = useT();
    const set = (index: number, change: Partial<StageRow>) => onChange(stages.map((stage, i) => (i === index ? { ...stage, ...change } : stage)));
    const add = () => {
        const last = stages.at(-1);
        onChange(last?.kind === 'all' ? [...stages.slice(0, -1), newStage(), last] : [...stages, newStage()]);
    };
    const input = (stage: StageRow, i: number, name: NumberName, label: string, rest: { min?: number; max?: number; step?: string; placeholder?: string } = {}) => (
        <input type="number" min={0} {...rest} value={stage[name]} aria-label={t('campaigns.of-stage', { what: label, stage: i + 1 })}
            onInput={(event) => set(i, { [name]: event.currentTarget.value })} />
    );
    const titles = [t('campaigns.stage'), t('campaigns.admits'), t('campaigns.min-confirmed'), t('campaigns.confirmed-percent'), t('campaigns.max-failed'),
        t('campaigns.max-silent'), t('campaigns.settle-hours'), t('campaigns.approvals')];
    return (
        <fieldset class="stage-editor">
            <legend>{t('campaigns.stages')}</legend>
            <p class="hint">{t('campaigns.stages-hint')}</p>
            <div class="table-frame" role="region" aria-label={t('campaigns.stages')} tabIndex={0}>
                <table>
                    <thead><tr>{titles.map((title) => <th key={title} scope="col">{title}</th>)}<td /></tr></thead>
                    <tbody>
                        {stages.map((stage, i) => (
                            <tr key={i}>
                                <th scope="row">{i + 1}</th>
                                <td class="stage-size">
                                    {stage.kind !== 'all' && input(stage, i, 'size', t('campaigns.admits'), { min: 1 })}
                                    <select value={stage.kind} aria-label={t('campaigns.of-stage', { what: t('campaigns.kind'), stage: i + 1 })}
                                        onChange={(event) => set(i, { kind: event.currentTarget.value as StageRow['kind'] })}>
                                        <option value="devices">{t('campaigns.kind-devices')}</option>
                                        <option value="percent">{t('campaigns.kind-percent')}</option>
                                        <option value="all">{t('campaigns.stage-all')}</option>
                                    </select>
                                </td>
                                <td>{input(stage, i, 'min_confirmed', t('campaigns.min-confirmed'), { placeholder: '–' })}</td>
                                <td>{input(stage, i, 'confirmed_percent', t('campaigns.confirmed-percent'), { max: 100, placeholder: stage.min_confirmed ? '–' : '100' })}</td>
                                <td>{input(stage, i, 'max_failed', t('campaigns.max-failed'))}</td>
                                <td>{input(stage, i, 'max_silent', t('campaigns.max-silent'))}</td>
                                <td>{i < stages.length - 1 && input(stage, i, 'settle_hours', t('campaigns.settle-hours'), { step: 'any', placeholder: '0' })}</td>
                                <td>{i < stages.length - 1 && input(stage, i, 'approvals', t('campaigns.approvals'), { max: 2 })}</td>
                                <td>{stages.length > 1 && <Button icon="close" label={t('campaigns.remove-stage', { stage: i + 1 })}
                                    onClick={() => onChange(stages.filter((_, other) => other !== i))} />}</td>
                            </tr>
                        ))}
                    </tbody>
                </table>
            </div>
            {stages.length < 16 && <p><Button onClick={add}>{t('campaigns.add-stage')}</Button></p>}
        </fieldset>
    );
}
