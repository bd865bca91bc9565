// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// What can be done to many devices, one call for each, and how it is undone.

import { send, type Call } from '../../api';
import type { Key } from '../../i18n';
import { devicePath, idOf, type DeviceRow } from './model';

export type Before = Pick<DeviceRow, 'id_kind' | 'device' | 'tags' | 'note' | 'state' | 'held_out'>;

interface Step { rest: string; call: Call } // a call below the path of the device

export interface Action {
    title: Key;
    needs?: Key; // the name of its text
    mayBeEmpty?: boolean;
    step: (text: string, before: Before) => Step;
    undo?: (text: string, before: Before) => Step | null; // null: nothing was changed
    isDanger?: boolean;
}

const post = (rest: string): Step => ({ rest, call: { method: 'POST' } });
const patch = (json: unknown): Step => ({ rest: '', call: { method: 'PATCH', json } });
export const wordsOf = (text: string) => text.split(/[\s,;]+/).filter(Boolean);
const without = (tags: string[], others: string[]) => tags.filter((tag) => !others.includes(tag));

const tagChange = (name: string, tags: string[]) => (tags.length ? patch({ [name]: tags }) : null);

export const actions = {
    'add-tags': { title: 'devices.action.add-tags', needs: 'devices.tags', step: (text) => patch({ add_tags: wordsOf(text) }),
        undo: (text, before) => tagChange('remove_tags', without(wordsOf(text), before.tags)) },
    'remove-tags': { title: 'devices.action.remove-tags', needs: 'devices.tags', step: (text) => patch({ remove_tags: wordsOf(text) }),
        undo: (text, before) => tagChange('add_tags', before.tags.filter((tag) => wordsOf(text).includes(tag))) },
    note: { title: 'devices.action.note', needs: 'devices.note', mayBeEmpty: true, step: (text) => patch({ note: text || null }), undo: (_, before) => patch({ note: before.note }) },
    'hold-out': { title: 'devices.action.hold-out', step: () => patch({ held_out: true }), undo: (_, before) => (before.held_out ? null : patch({ held_out: false })) },
    'let-in': { title: 'devices.action.let-in', step: () => patch({ held_out: false }), undo: (_, before) => (before.held_out ? patch({ held_out: true }) : null) },
    retire: { title: 'devices.action.retire', isDanger: true, step: () => post('/retire'), undo: (_, before) => (before.state === 'active' ? post('/restore') : null) },
    restore: { title: 'devices.action.restore', step: () => post('/restore'), undo: (_, before) => (before.state === 'retired' ? post('/retire') : null) },
    admit: { title: 'devices.action.admit', step: () => post('/admit') },
    unblock: { title: 'devices.action.unblock', step: () => post('/unblock') },
    link: { title: 'devices.action.link', needs: 'devices.link-version', mayBeEmpty: true, step: (text) => ({ rest: '/link', call: { method: 'POST', json: text ? { version: text } : {} } }) },
} as const satisfies Record<string, Action>;

export type ActionName = keyof typeof actions;
export const actionOf = (name: ActionName): Action => actions[name];

export const perform = (product: string, before: Pick<Before, 'id_kind' | 'device'>, { rest, call }: Step, signal?: AbortSignal) =>
    send(devicePath(product, idOf(before)) + rest, signal ? { ...call, signal } : call);
