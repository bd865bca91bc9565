/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* All reasons: symbol, code, and the text in English and in Chinese. {0} is the first parameter. Both texts
   have the same parameters. Codes are stored in the database: a code is never removed, and its parameters
   never change. doc/reasons.md tells admins what to do. */
#ifndef DFOTA_UPGRADE_REASON_TABLE_H
#define DFOTA_UPGRADE_REASON_TABLE_H

/* clang-format off */

/* Who asks. */
#define REASONS_OF_DEVICES(X) \
    X(REASON_SECRET_WRONG, "secret-wrong", \
      "the secret is unknown, has ended, or belongs to another device or product", \
      "密钥未知、已失效，或属于其他设备或产品") \
    X(REASON_SECRET_MISSING, "secret-missing", \
      "the product demands a secret of its devices, and the request has no valid one", \
      "该产品要求设备提供密钥，而请求中没有有效的密钥") \
    X(REASON_LINK_UNKNOWN, "link-unknown", "this link does not exist", "该链接不存在") \
    X(REASON_LINK_REVOKED, "link-revoked", "this link is revoked", "该链接已吊销") \
    X(REASON_PRODUCT_UNKNOWN, "product-unknown", "the project_key is missing or unknown", \
      "project_key 缺失或未知") \
    X(REASON_DEVICE_ID_INVALID, "device-id-invalid", "the request contains no valid imei, mac or uid", \
      "请求中没有有效的 imei、mac 或 uid") \
    X(REASON_FIRMWARE_NAME_INVALID, "firmware-name-invalid", \
      "the request contains no valid firmware_name", \
      "请求中没有有效的 firmware_name") \
    X(REASON_FIRMWARE_ELSEWHERE, "firmware-elsewhere", "the firmware belongs to another product", \
      "该固件属于另一个产品") \
    X(REASON_FIRMWARE_UNKNOWN, "firmware-unknown", "the product has no firmware with this name", \
      "该产品没有这个名称的固件") \
    X(REASON_DEVICE_REFUSED, "device-refused", \
      "the product refuses unknown devices: an admin must add this device first", \
      "该产品拒绝未知设备：须先由管理员添加该设备") \
    X(REASON_NETWORK_FULL, "network-full", "the daily limit of new devices from this network is reached", \
      "该网络今日的新设备数已达上限") \
    X(REASON_PRODUCT_FULL, "product-full", "the product's daily limit of new devices is reached", \
      "该产品今日的新设备数已达上限") \
    X(REASON_DEVICE_RETIRED, "device-retired", "this device is retired", "该设备已退役") \
    X(REASON_DEVICE_HELD_OUT, "device-held-out", "this device is held out of all campaigns", \
      "该设备不参与任何升级任务") \
    X(REASON_DEVICE_HELD, "device-held", "an admin must admit this device first", "须先由管理员准入该设备") \
    X(REASON_DEVICE_BLOCKED, "device-blocked", \
      "the loop guard has blocked this device: an admin must unblock it", \
      "循环保护已阻止该设备：须由管理员解除")

/* A request from the middle of a package. */
#define REASONS_OF_RANGES(X) \
    X(REASON_RANGE_MALFORMED, "range-malformed", \
      "the Range header must have the form bytes=FIRST- or bytes=FIRST-LAST", \
      "Range 头的格式须为 bytes=FIRST- 或 bytes=FIRST-LAST") \
    X(REASON_RESUME_UNCLEAR, "resume-unclear", \
      "two downloads with different bytes are unfinished, and the request does not show which one it " \
      "continues", \
      "有两个内容不同的下载尚未完成，而请求没有表明续传哪一个") \
    X(REASON_RESUME_NOTHING, "resume-nothing", "this device has no unfinished download to continue", \
      "该设备没有可续传的未完成下载") \
    X(REASON_RESUME_DELIVERED, "resume-delivered", \
      "the package {0} was delivered completely: there is nothing to continue", \
      "升级包 {0} 已完整送达：没有可续传的内容") \
    X(REASON_RESUME_RESTARTED, "resume-restarted", \
      "the device has asked for the package {0} from the start again: the download before that " \
      "cannot be continued", \
      "设备已重新从头请求升级包 {0}：此前的下载不能续传") \
    X(REASON_RESUME_MISMATCH, "resume-mismatch", \
      "the unfinished package {0} is not for the firmware and version of this request", \
      "未完成的升级包 {0} 与本次请求的固件和版本不符") \
    X(REASON_RESUME_IDLE, "resume-idle", \
      "the download of the package {0} was idle for too long to be continued", \
      "升级包 {0} 的下载中断过久，不能续传") \
    X(REASON_RESUME_GONE, "resume-gone", "the unfinished package {0} is no longer available", \
      "未完成的升级包 {0} 已不可用") \
    X(REASON_RESUME_OVERSIZE, "resume-oversize", \
      "the unfinished package {0} has {1} bytes, the limit is {2}", \
      "未完成的升级包 {0} 有 {1} 字节，上限为 {2}") \
    X(REASON_RESUME_CORE_OVERSIZE, "resume-core-oversize", \
      "the change of the core in the unfinished package {0} has {1} bytes, the limit is {2}", \
      "未完成的升级包 {0} 中的内核差分有 {1} 字节，上限为 {2}") \
    X(REASON_RESUME_BEYOND_END, "resume-beyond-end", \
      "the request begins at byte {0}, but the package {1} has only {2} bytes", \
      "请求从第 {0} 字节开始，但升级包 {1} 只有 {2} 字节") \
    X(REASON_PACKAGE_CONTINUED, "package-continued", "the package {0} is continued at byte {1} of {2}{3}", \
      "升级包 {0} 从第 {1} 字节续传，共 {2} 字节{3}")

/* Versions and images. */
#define REASONS_OF_VERSIONS(X) \
    X(REASON_TARGET_MISSING, "target-missing", "no target is set for this firmware", "该固件没有设置目标版本") \
    X(REASON_LINK_WITHOUT_VERSION, "link-without-version", \
      "the link contains no version, and no version was reported", \
      "链接中没有版本，设备也没有报告过版本") \
    X(REASON_VERSION_MISSING, "version-missing", "the request contains no valid version", "请求中没有有效的版本") \
    X(REASON_UP_TO_DATE, "up-to-date", "{0} is the target", "{0} 就是目标版本") \
    X(REASON_DOWNGRADE, "downgrade", "{0} is newer than the target {1}, and downgrades are not allowed", \
      "{0} 比目标版本 {1} 新，而该固件不允许降级") \
    X(REASON_OTHER_CORE, "other-core", "{0} is a full package for core {1}, but {2} has another core", \
      "{0} 是内核 {1} 的整包，而 {2} 的内核不同") \
    X(REASON_OTHER_SCRIPT, "other-script", "{0} is a full package that does not fit {1}: {2}", \
      "{0} 是整包，不适合 {1}：{2}") \
    X(REASON_NO_DELTA_FROM_FULL, "no-delta-from-full", \
      "only a full package of {0} is stored, not its image: no delta can be made from it", \
      "服务器只有 {0} 的整包，没有其镜像：无法以它生成差分包") \
    X(REASON_FORMAT_MISSING, "format-missing", \
      "no package format is set for this firmware: set the format that its modules apply", \
      "该固件没有设置升级包格式：请设置其模组使用的格式") \
    X(REASON_IMAGE_MISSING, "image-missing", \
      "the image of {0} is missing on the server: no package can be made from it", \
      "服务器缺少 {0} 的镜像：无法以它生成升级包") \
    X(REASON_SEVERAL_BUILDS, "several-builds", \
      "{0} has several builds ({1}), and which one the device runs is not known: no package is sent, because " \
      "only one made from its own build can be applied", \
      "{0} 有多个构建（{1}），无法得知设备运行的是哪一个：不发送升级包，因为只有以其自身构建生成的升级包才能应用") \
    X(REASON_CORE_ID_UNKNOWN, "core-id-unknown", \
      "the device says that its core has core_id {1}, and no build of {0} has this core_id: no package is sent", \
      "设备称其底层的 core_id 为 {1}，而 {0} 的构建都没有这个 core_id：不发送升级包") \
    X(REASON_BUILD_CONTRADICTED, "build-contradicted", \
      "the device says that its core has core_id {2}, but it is recorded as running build {1} of {0}, whose core_id " \
      "is {3}: no package is sent until one of the two is corrected", \
      "设备称其底层的 core_id 为 {2}，但记录显示它运行 {0} 的构建 {1}，其 core_id 为 {3}：在更正其中之一之前不发送升级包") \
    X(REASON_BUILD_NOT_APPLIED, "build-not-applied", \
      "the whole package was delivered, and the device still runs {0}. It may run another build than {1}, from which " \
      "the package was made (stored: {2}). The module checks the base itself, so its old firmware is intact", \
      "升级包已完整送达，而设备仍运行 {0}。它运行的构建可能不是生成该升级包的 {1}（已存：{2}）。模组自行校验基础版本，因此旧固件完好") \
    X(REASON_BUILD_MISSING, "build-missing", \
      "the build of {0} that the device runs is not on the server any more: no package is sent, because one made " \
      "from another build cannot be applied", \
      "设备运行的 {0} 构建已不在服务器上：不发送升级包，因为以其他构建生成的升级包无法应用")

/* Packages. */
#define REASONS_OF_PACKAGES(X) \
    X(REASON_HOP_ON_THE_WAY, "hop-on-the-way", "{0} (on the way to {1})", "{0}（最终升级到 {1}）") \
    X(REASON_RELEASED_BY, "released-by", " (unproven, released by {0})", "（未验证，由 {0} 放行）") \
    X(REASON_LINK_USED_UP, "link-used-up", \
      "the package {0} was delivered {1} times over this link, and no version was reported since", \
      "升级包 {0} 已通过该链接送达 {1} 次，此后没有报告版本") \
    X(REASON_LINK_PAUSES, "link-pauses", \
      "the package {0} was delivered over this link, and no version was reported since: the link " \
      "offers it again from {1}", \
      "升级包 {0} 已通过该链接送达，此后没有报告版本：该链接从 {1} 起再次提供") \
    X(REASON_PACKAGE_GENERATING, "package-generating", "the package {0} is being generated", \
      "正在生成升级包 {0}") \
    X(REASON_PACKAGE_QUEUED, "package-queued", "the package {0} is queued to be generated", \
      "升级包 {0} 正在排队等待生成") \
    X(REASON_PACKAGE_SHRINKING, "package-shrinking", \
      "the package {0} is being made smaller: it has {1} bytes, the limit is {2}", \
      "正在缩小升级包 {0}：它有 {1} 字节，上限为 {2}") \
    X(REASON_CORE_SHRINKING, "core-shrinking", \
      "the package {0} is being made smaller: its change of the core has {1} bytes, the limit is {2}", \
      "正在缩小升级包 {0}：其中的内核差分有 {1} 字节，上限为 {2}") \
    X(REASON_PACKAGE_FAILED, "package-failed", "the package {0} could not be made: {1}", \
      "无法生成升级包 {0}：{1}") \
    X(REASON_PACKAGE_UNPROVEN, "package-unproven", \
      "the package {0} is unproven, because this server could not apply it: an admin must release it " \
      "first", \
      "升级包 {0} 未验证，因为本服务器无法应用它：须先由管理员放行") \
    X(REASON_PACKAGE_OVERSIZE, "package-oversize", \
      "the package {0} is oversize: {1} bytes, the limit is {2}", \
      "升级包 {0} 过大：{1} 字节，上限为 {2}") \
    X(REASON_PACKAGE_CORE_OVERSIZE, "package-core-oversize", \
      "the package {0} is oversize: its change of the core has {1} bytes, the limit is {2}", \
      "升级包 {0} 过大：其中的内核差分有 {1} 字节，上限为 {2}") \
    X(REASON_PACKAGE_QUARANTINED, "package-quarantined", "the package {0} is out of service: {1}", \
      "升级包 {0} 已停用：{1}") \
    X(REASON_PACKAGE_NOT_APPLIED, "package-not-applied", \
      "the device came back with the old version: the package {0} goes out of service", \
      "设备退回了旧版本：升级包 {0} 随即停用") \
    X(REASON_PACKAGE_ON_TRIAL, "package-on-trial", \
      "no device has confirmed the package {0} yet, and {1} tries it first", \
      "还没有设备确认升级包 {0}，由 {1} 先行试用") \
    X(REASON_TRIAL_FAILED, "trial-failed", "1 device came back with {0}, and the package was on trial", \
      "试用该升级包的设备退回了 {0}") \
    X(REASON_TRIAL_FAILED_LATER, "trial-failed-later", "{0} devices came back with {1}", \
      "有 {0} 台设备退回了 {1}") \
    X(REASON_LOOP_SHARED, "loop-shared", \
      "{0} downloads from this version were begun within 24 hours, the limit is {1}; two modules " \
      "seem to use the same id", \
      "24 小时内从该版本开始了 {0} 次下载，上限为 {1}；似乎有两个模组使用同一标识") \
    X(REASON_LOOP_GUARD, "loop-guard", \
      "the device began {0} downloads within 24 hours, the limit is {1}: the loop guard blocks it", \
      "设备在 24 小时内开始了 {0} 次下载，上限为 {1}：循环保护阻止该设备") \
    X(REASON_ADDRESS_MISSING, "address-missing", \
      "the server does not know the URL under which devices reach it: set the config key " \
      "public_device_url", \
      "服务器不知道设备访问它的 URL：请设置配置项 public_device_url") \
    X(REASON_PACKAGE_OFFERED, "package-offered", "the package {0} of {1} bytes is offered{2}", \
      "提供升级包 {0}，共 {1} 字节{2}") \
    X(REASON_PACKAGE_SENT, "package-sent", "the package {0} of {1} bytes is sent{2}", \
      "发送升级包 {0}，共 {1} 字节{2}") \
    X(REASON_FULL_PACKAGE_SENT, "full-package-sent", \
      "the full package {0} of {1} bytes is sent; this server did not apply it{2}", \
      "发送整包 {0}，共 {1} 字节；本服务器没有应用过它{2}") \
    X(REASON_WHOLE_PACKAGE_SENT, "whole-package-sent", \
      "the full package {0} of {1} bytes is sent: the device needs no base image{2}", \
      "发送整包 {0}，共 {1} 字节：设备不需要基础镜像{2}")

/* Campaigns, and whether a download may begin now. */
#define REASONS_OF_CAMPAIGNS(X) \
    X(REASON_CAMPAIGN_PAUSED, "campaign-paused", "the campaign {0} is paused: {1}", "升级任务 {0} 已暂停：{1}") \
    X(REASON_CAMPAIGN_HOLDS, "campaign-holds", "the campaign {0} has not reached this device: {1}", \
      "升级任务 {0} 尚未轮到该设备：{1}") \
    X(REASON_CAMPAIGN_STOPPED, "campaign-stopped", \
      "the campaign {0} does not lead to {1} any more, and its downloads do not go on", \
      "升级任务 {0} 不再以 {1} 为目标，其下载不再继续") \
    X(REASON_STAGE_ADMITS_ALL, "stage-admits-all", "stage {0} of {1} admits all devices", \
      "第 {0} 阶段（共 {1} 个）允许所有设备升级") \
    X(REASON_STAGE_ADMITS_SHARE, "stage-admits-share", "stage {0} of {1} admits {2} % of the devices", \
      "第 {0} 阶段（共 {1} 个）允许 {2}% 的设备升级") \
    X(REASON_STAGE_ADMITS_ONE, "stage-admits-one", "stage {0} of {1} admits 1 device", \
      "第 {0} 阶段（共 {1} 个）允许 1 台设备升级") \
    X(REASON_STAGE_ADMITS_DEVICES, "stage-admits-devices", "stage {0} of {1} admits {2} devices", \
      "第 {0} 阶段（共 {1} 个）允许 {2} 台设备升级") \
    X(REASON_GATE_FAILED, "gate-failed", \
      "stage {0}: devices that did not apply a package: {1}, allowed are {2}", \
      "第 {0} 阶段：{1} 台设备升级未生效，允许 {2} 台") \
    X(REASON_GATE_SILENT, "gate-silent", \
      "stage {0}: devices that are silent after delivery: {1}, allowed are {2}", \
      "第 {0} 阶段：{1} 台设备送达后无响应，允许 {2} 台") \
    X(REASON_GATE_CONFIRMED, "gate-confirmed", "stage {0}: {1} of {2} devices have confirmed", \
      "第 {0} 阶段：已有 {1} 台设备确认，需要 {2} 台") \
    X(REASON_GATE_SETTLE, "gate-settle", "stage {0}: the last confirmation is not old enough", \
      "第 {0} 阶段：距最近一次确认的时间还不够长") \
    X(REASON_GATE_STAGE_SETTLE, "gate-stage-settle", "stage {0}: the stage is not old enough", \
      "第 {0} 阶段：该阶段开始的时间还不够长") \
    X(REASON_GATE_APPROVED, "gate-approved", "stage {0}: {1} of {2} admins have approved", \
      "第 {0} 阶段：已有 {1} 名管理员批准，需要 {2} 名") \
    X(REASON_PAUSED_BY_ADMIN, "paused-by-admin", "an admin paused it", "由管理员暂停") \
    X(REASON_CAMPAIGN_RETARGETED, "campaign-retargeted", \
      "it leads to version {0} now, and waits to be resumed", "目标版本已改为 {0}，等待继续") \
    X(REASON_LAST_STAGE_DONE, "last-stage-done", "the last stage is done", "最后一个阶段已完成") \
    X(REASON_TARGET_WITHDRAWN, "target-withdrawn", "version {0} is withdrawn", "版本 {0} 已撤回") \
    X(REASON_GROUP_OUT, "group-out", "these devices are retired, held out, or have another firmware", \
      "这些设备已退役、不参与升级任务，或使用其他固件") \
    X(REASON_GROUP_UNKNOWN, "group-unknown", "the version of these devices is not known", "这些设备的版本未知") \
    X(REASON_GROUP_ABOVE, "group-above", "downgrades are not allowed", "不允许降级") \
    X(REASON_GROUP_NOT_PLANNED, "group-not-planned", "too many versions: this one was not planned", \
      "版本过多：没有为该版本规划路径") \
    X(REASON_MONTH_TOO_SMALL, "month-too-small", \
      "the package has {0} bytes, but max_bytes_per_month is {1}", \
      "升级包有 {0} 字节，而 max_bytes_per_month 为 {1}") \
    X(REASON_MONTH_USED_UP, "month-used-up", \
      "the device was sent {0} bytes in {1}, the package has {2}, and max_bytes_per_month is {3}: it " \
      "waits until {4}", \
      "{1} 已向该设备发送 {0} 字节，升级包有 {2} 字节，而 max_bytes_per_month 为 {3}：等待到 {4}") \
    X(REASON_HOURS_CLOSED, "hours-closed", \
      "at this hour no download of this firmware begins: the device waits until {0}", \
      "该固件此时段不开始下载：设备等待到 {0}") \
    X(REASON_TRANSFERS_SOON, "transfers-soon", \
      "as many transfers run as {0} allows ({1}): the device waits for the end of one", \
      "传输数已达 {0} 允许的上限（{1}）：设备等待其中一个结束") \
    X(REASON_TRANSFERS_LATER, "transfers-later", \
      "as many transfers run as {0} allows ({1}): the wait is long, and the device must ask again later", \
      "传输数已达 {0} 允许的上限（{1}）：等待时间较长，设备须稍后再请求")

/* Paths: why a device waits or gets nothing, and why a hop is excluded. */
#define REASONS_OF_PATHS(X) \
    X(REASON_NO_PATH, "no-path", "no path leads from {0} to {1} because of {2}: {3}", \
      "没有从 {0} 到 {1} 的升级路径，因为 {2}：{3}") \
    X(REASON_NO_PATH_BETWEEN, "no-path-between", \
      "no path leads from {0} to {1} because of {2}: {3}, and no version between them helps", \
      "没有从 {0} 到 {1} 的升级路径，因为 {2}：{3}，而且其间没有可用的版本") \
    X(REASON_NO_PATH_WITHDRAWN, "no-path-withdrawn", "no path leads from {0} to {1}: {2}", \
      "没有从 {0} 到 {1} 的升级路径：{2}") \
    X(REASON_PATH_EXPLORING, "path-exploring", "packages for a longer path are made: {0}", \
      "正在为更长的路径生成升级包：{0}") \
    X(REASON_PATH_EXPLORING_INSTEAD, "path-exploring-instead", \
      "the direct package {0} cannot be used ({1}); packages for a longer path are made: {2}", \
      "直接的升级包 {0} 不可用（{1}）；正在为更长的路径生成升级包：{2}") \
    X(REASON_HOP_OVERSIZE, "hop-oversize", "{0} bytes, the limit is {1}", "{0} 字节，上限为 {1}") \
    X(REASON_HOP_CORE_OVERSIZE, "hop-core-oversize", "the change of the core has {0} bytes, the limit is {1}", \
      "内核差分有 {0} 字节，上限为 {1}") \
    X(REASON_HOP_UNPROVEN, "hop-unproven", "not proven and not released", "未验证，也未放行") \
    X(REASON_HOP_FAILED, "hop-failed", "could not be made: {0}", "无法生成：{0}") \
    X(REASON_HOP_FAILED_UNKNOWN, "hop-failed-unknown", "could not be made: the reason is not known", \
      "无法生成：原因未知") \
    X(REASON_HOP_QUARANTINED, "hop-quarantined", "out of service: {0}", "已停用：{0}") \
    X(REASON_HOP_FROM_FULL, "hop-from-full", "only a full package of {0} is stored, not its image", \
      "服务器只有 {0} 的整包，没有其镜像") \
    X(REASON_HOP_IMAGE_MISSING, "hop-image-missing", "the image of {0} is missing on the server", \
      "服务器缺少 {0} 的镜像") \
    X(REASON_HOP_SEVERAL_BUILDS, "hop-several-builds", "{0} has several builds, and which one is meant is not known", \
      "{0} 有多个构建，无法得知指的是哪一个") \
    X(REASON_HOP_OTHER_AREA, "hop-other-area", "the scripts of the two releases have different places in flash", \
      "两个版本的脚本在闪存中的位置不同") \
    X(REASON_HOP_FORMAT_MISSING, "hop-format-missing", "no package format is set", "没有设置升级包格式") \
    X(REASON_HOP_IMPOSSIBLE, "hop-impossible", "no package can be made for these two versions", \
      "无法为这两个版本生成升级包") \
    X(REASON_VERSION_WITHDRAWN, "version-withdrawn", "{0} is withdrawn", "{0} 已撤回") \
    X(REASON_WAYPOINT_FORBIDDEN, "waypoint-forbidden", "{0} is forbidden as a waypoint", "{0} 不得作为途经版本") \
    X(REASON_WAYPOINT_REQUIRED, "waypoint-required", "every path must stop at {0}", "所有路径都须经过 {0}")

/* What an admin can do where no path leads to the target. */
#define REASONS_OF_ADVICE(X) \
    X(REASON_ADVICE_TARGET, "advice-target", "{0} is withdrawn: set another target", "{0} 已撤回：请设置其他目标版本") \
    X(REASON_ADVICE_RELEASE, "advice-release", "release {0}: made, but not proven on this server", \
      "请放行 {0}：已生成，但未在本服务器上验证") \
    X(REASON_ADVICE_RESTORE, "advice-restore", \
      "{0} is withdrawn and cannot serve as a waypoint: if you change that, there may be a path", \
      "{0} 已撤回，不能作为途经版本：更改后可能有升级路径") \
    X(REASON_ADVICE_ALLOW, "advice-allow", \
      "{0} is forbidden as a waypoint: if you change that, there may be a path", \
      "{0} 不得作为途经版本：更改后可能有升级路径") \
    X(REASON_ADVICE_NOT_REQUIRE, "advice-not-require", \
      "{0} is required as a waypoint: if you change that, there may be a path", \
      "{0} 是必经版本：更改后可能有升级路径") \
    X(REASON_ADVICE_SMALLER, "advice-smaller", \
      "{0}: {1}; upload a smaller package that was made elsewhere", \
      "{0}：{1}；请上传在别处生成的更小的升级包") \
    X(REASON_ADVICE_PACKAGE, "advice-package", "{0}: {1}; upload a package {0} that was made elsewhere", \
      "{0}：{1}；请上传在别处生成的升级包 {0}") \
    X(REASON_ADVICE_PACKAGE_OR_FULL, "advice-package-or-full", \
      "{0}: {1}; upload a package {0} that was made elsewhere, or a full package that changes the core", \
      "{0}：{1}；请上传在别处生成的升级包 {0}，或可更换内核的整包") \
    X(REASON_ADVICE_FULL_CHANGING, "advice-full-changing", \
      "{0}: {1}; upload a full package that changes the core of {2}", \
      "{0}：{1}；请上传可更换 {2} 内核的整包") \
    X(REASON_ADVICE_FULL, "advice-full", "{0}: {1}; upload a full package for the core of {2}", \
      "{0}：{1}；请上传适用于 {2} 内核的整包") \
    X(REASON_ADVICE_IMAGE, "advice-image", "the image of {0} is missing on the server: upload it", \
      "服务器缺少 {0} 的镜像：请上传") \
    X(REASON_ADVICE_BETWEEN, "advice-between", \
      "{0}: {1}, and no image between {2} and {3} is stored: upload one", \
      "{0}：{1}，而服务器没有 {2} 与 {3} 之间的镜像：请上传一个") \
    X(REASON_ADVICE_BETWEEN_SUCH, "advice-between-such", \
      "{0}: {1}, and no image between {2} and {3} is stored: upload one, such as {4}, which devices run", \
      "{0}：{1}，而服务器没有 {2} 与 {3} 之间的镜像：请上传一个，例如有设备正在运行的 {4}") \
    X(REASON_ADVICE_ANOTHER, "advice-another", \
      "{0}: {1}, and the images between {2} and {3} do not help: upload another", \
      "{0}：{1}，而 {2} 与 {3} 之间的镜像没有帮助：请上传另一个") \
    X(REASON_ADVICE_ANOTHER_SUCH, "advice-another-such", \
      "{0}: {1}, and the images between {2} and {3} do not help: upload another, such as {4}, which " \
      "devices run", \
      "{0}：{1}，而 {2} 与 {3} 之间的镜像没有帮助：请上传另一个，例如有设备正在运行的 {4}") \
    X(REASON_ADVICE_FORMAT, "advice-format", \
      "no package format is set for this firmware: set the one that its modules can apply", \
      "该固件没有设置升级包格式：请设置其模组能够应用的格式") \
    X(REASON_ADVICE_DOWNGRADES, "advice-downgrades", \
      "this path leads to a lower version: devices get it only after downgrades are allowed for the " \
      "firmware", \
      "该路径通向更低的版本：只有在该固件允许降级之后设备才会升级")

/* What each rule of a decision asks, in their order (decision.c). */
#define REASONS_OF_RULES(X) \
    X(REASON_RULE_SECRET, "rule-secret", "secret: is it valid for this device, or does the product demand none?", \
      "密钥：对该设备是否有效，或该产品不要求密钥？") \
    X(REASON_RULE_LINK, "rule-link", "link: does it exist, and is it not revoked?", "链接：是否存在且未被吊销？") \
    X(REASON_RULE_NAMES, "rule-names", "check-in: are product, device id and firmware valid?", \
      "签到：产品、设备标识和固件是否有效？") \
    X(REASON_RULE_ADMISSION, "rule-admission", "new device: does the product admit it, within its daily limit?", \
      "新设备：产品是否接受，且未超过每日上限？") \
    X(REASON_RULE_REPORT, "rule-report", "the reported version is recorded, or kept as a claim", \
      "报告的版本记为已确认，或保留为声明") \
    X(REASON_RULE_FROM_START, "rule-from-start", "request from the start: an earlier download cannot be continued", \
      "从头请求：此前的下载不能续传") \
    X(REASON_RULE_STATE, "rule-state", "is the device retired, held out, or held until an admin admits it?", \
      "设备是否已退役、不参与升级任务，或等待管理员准入？") \
    X(REASON_RULE_BLOCK, "rule-block", "has the loop guard blocked the device?", "循环保护是否已阻止该设备？") \
    X(REASON_RULE_RANGE, "rule-range", "is the Range header valid?", "Range 头是否有效？") \
    X(REASON_RULE_TRANSFER, "rule-transfer", "request from the middle: does the campaign let downloads end?", \
      "从中间请求：升级任务是否允许下载完成？") \
    X(REASON_RULE_CONTINUE, "rule-continue", "request from the middle: can the download be continued?", \
      "从中间请求：下载能否续传？") \
    X(REASON_RULE_VERSIONS, "rule-versions", "is there a newer target, a package format and an image of the base?", \
      "是否有更高的目标版本，是否有升级包格式和基础版本的镜像？") \
    X(REASON_RULE_CAMPAIGN, "rule-campaign", "is the campaign running, and has a stage admitted the device?", \
      "升级任务是否进行中，且某个阶段已允许该设备升级？") \
    X(REASON_RULE_OFFERS, "rule-offers", "link: was the package delivered, and no version reported since?", \
      "链接：升级包是否已送达，而此后没有报告版本？") \
    X(REASON_RULE_PATH, "rule-path", "is there a path to the target, or can one still be found?", \
      "是否有到目标版本的路径，或仍可能找到？") \
    X(REASON_RULE_MADE, "rule-made", "is the package made?", "升级包是否已生成？") \
    X(REASON_RULE_USABLE, "rule-usable", "is the package usable: proven or released, within the limit?", \
      "升级包是否可用：已验证或已放行，且不超过上限？") \
    X(REASON_RULE_CANARY, "rule-canary", "is the package in service, and may this device try it?", \
      "升级包是否未停用，且该设备可以试用？") \
    X(REASON_RULE_LOOP, "rule-loop", "loop guard: did the device begin too many downloads?", \
      "循环保护：设备开始的下载是否过多？") \
    X(REASON_RULE_ALLOWANCE, "rule-allowance", "may a download begin now: hours, bytes of the month, transfers that run?", \
      "现在能否开始下载：时段、当月字节数、进行中的传输？") \
    X(REASON_RULE_ADDRESS, "rule-address", "request for a URL: does the server know its own address?", \
      "请求 URL：服务器是否知道自己的地址？") \
    X(REASON_RULE_SERVE, "rule-serve", "the package is sent", "发送升级包")

#define REASONS(X) \
    REASONS_OF_DEVICES(X) REASONS_OF_RANGES(X) REASONS_OF_VERSIONS(X) REASONS_OF_PACKAGES(X) \
    REASONS_OF_CAMPAIGNS(X) REASONS_OF_PATHS(X) REASONS_OF_ADVICE(X) REASONS_OF_RULES(X)

/* clang-format on */

#endif
