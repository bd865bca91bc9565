// SPDX-FileCopyrightText: The dfota authors
// SPDX-License-Identifier: Apache-2.0
// The kinds of rows that can be searched for, as doc/ledger.md lists them.

export const kinds = [
    'product-added', 'product-set', 'product-deleted', 'image-uploaded', 'image-withdrawn', 'image-restored', 'image-deleted', 'image-set',
    'firmware-set', 'firmware-renamed', 'firmware-deleted', 'target-set', 'target-dropped', 'campaign-added', 'campaign-set', 'campaign-deleted',
    'campaign-started', 'campaign-stage-began', 'campaign-approved', 'campaign-paused', 'campaign-resumed', 'campaign-retargeted',
    'campaign-finished', 'campaign-cancelled', 'package-asked', 'package-made', 'package-refused', 'package-uploaded', 'package-forgotten',
    'package-released', 'release-taken-back', 'package-quarantined', 'quarantine-lifted', 'device-written-off', 'package-lost', 'link-made',
    'links-revoked', 'device-set', 'device-retired', 'device-restored', 'device-replaced', 'device-admitted', 'device-deleted', 'devices-imported',
    'device-unblocked', 'check-in', 'version-reported', 'version-claimed', 'claim-accepted', 'claim-dismissed', 'transcript-received',
    'reports-listed', 'bytes-delivered', 'bytes-handed-over', 'bytes-interrupted', 'asked-elsewhere', 'result-told', 'attempt-ended', 'event-unfit',
    'facts-counted', 'admission-full', 'webhook-added', 'webhook-set', 'webhook-removed', 'token-added', 'token-rotated',
    'token-revoked', 'secret-added', 'secret-rotated', 'secret-revoked', 'secret-conflict', 'backup-made', 'ledger-pruned',
] as const;
