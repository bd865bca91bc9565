// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// Several builds of one version: names for people, as in dfotactl, and the addresses that name one of them.

import type { Image, MatrixInfo, PathInfo } from './types';

export interface Build { version: string; variant: string | null }

// "1103.1.2 (full)"
export const nameOf = ({ version, variant }: Build) => (variant ? `${version} (${variant})` : version);

export function buildOf(name: string): Build {
    const [, version, variant] = /^(.*) \(([^()]+)\)$/.exec(name) ?? [];
    return version && variant ? { version, variant } : { version: name, variant: null };
}

type Query = Record<string, string | null | undefined>;

// An empty variant names the build without one; null leaves it out.
function address(base: string, query: Query): string {
    const given = Object.entries(query).filter((pair): pair is [string, string] => typeof pair[1] === 'string');
    return given.length ? `${base}?${given.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}` : base;
}

// The variant has to be said only of a build that has one, or that is not alone.
export function variantOf(images: Image[], { version, variant }: Build): string | null {
    const isAlone = images.filter((image) => image.version === version).length < 2;
    return variant ?? (isAlone ? null : '');
}

export function imagePath(at: string, images: Image[], build: Build, part = ''): string {
    return address(`${at}/images/${encodeURIComponent(build.version)}${part}`, { variant: variantOf(images, build) });
}

export type PackagePath = (part?: string, query?: Query) => string;

// `from` and `to` are names.
export function packagePath(at: string, images: Image[], from: string, to: string): PackagePath {
    const [old, next] = [buildOf(from), buildOf(to)];
    const base = `${at}/packages/${encodeURIComponent(old.version)}/${encodeURIComponent(next.version)}`;
    return (part = '', query = {}) => address(base + part, { from_variant: variantOf(images, old), to_variant: variantOf(images, next), ...query });
}

// A path leads to a version: the server chooses the build that fits.
export function pathPath(at: string, images: Image[], from: string, to: string): string {
    const old = buildOf(from);
    return address(`${at}/paths`, { from: old.version, from_variant: variantOf(images, old), to: buildOf(to).version });
}

interface Ends { from: string; from_variant: string | null; to: string; to_variant: string | null }

const named = <T extends Ends>(one: T): T => ({
    ...one,
    from: nameOf({ version: one.from, variant: one.from_variant }),
    to: nameOf({ version: one.to, variant: one.to_variant }),
});

// With the names of builds in place of versions.
export const namedPath = (found: PathInfo): PathInfo => ({
    ...named(found), hops: found.hops.map(named), excluded: found.excluded.map(named), waiting: found.waiting.map(named),
});

export const namedMatrix = (info: MatrixInfo): MatrixInfo => ({
    ...info,
    versions: info.builds.map(({ name }) => name),
    withdrawn: info.builds.filter(({ withdrawn }) => withdrawn).map(({ name }) => name),
    pairs: info.pairs.map(named),
});
