/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Every command of dfotactl, one entry each. A group is the first word of several commands. */
#include "base/package_format.h"
#include "ctl/command.h"
#include "ctl/option.h"

#define ON OPTION_ON
#define SET(...)                                                                                             \
    {                                                                                                        \
        __VA_ARGS__                                                                                          \
    }
#define NONE SET(0)
#define LIST ON(FILTER), ON(SORT), ON(LIMIT)

#define FORMAT_TEXT(id, name, devices, ...) name " for " devices "; "
#define FORMATS                             "Formats: " PACKAGE_FORMAT_TABLE(FORMAT_TEXT)

const struct command command_table[] = {
    {"help", "[COMMAND…]", NONE, NONE, "explain a command, or list all", NULL, help_show},
    {"version", "", NONE, NONE, "print the version of dfotactl", NULL, version_show},

    {"status", "", NONE, NONE, "show the state of the server", NULL, status_show},
    {"doctor", "", NONE, NONE, "look for faults, and say what to do",
     "Checks the clock, the disk, the last backup, the address in links, what a module gets through the proxy, "
     "firmwares without a format, versions without an image, and what else waits for a person. The exit status is 4 if "
     "there is a fault.",
     doctor_show},
    {"console", "", NONE, NONE, "print a URL that logs in to the console",
     "The URL works once, within ten minutes, in any browser that reaches the server. Who has it needs no "
     "token: send it only to people who may change everything.",
     console_show},
    {"signing-key", "", NONE, NONE, "show the public signing key",
     "Keep it in another place: evidence verify --key needs it.", signing_key_show},
    {"backup", "DIR", SET(ON(KEEP)), NONE, "back up the running server into a folder",
     "Writes a copy of the database, the images and packages that DIR does not have yet, and the "
     "configuration. DIR/TIME is the backup, DIR/blobs has the files of all backups. A backup that was cut off leaves no "
     "DIR/TIME. dfotad --restore=DIR makes a server from it. A backup has secrets: only you can read DIR.",
     backup_make},

    {"product add", "NAME", SET(ON(KEY)), NONE, "add a product",
     "Modules send the key as project_key. Without --key the server makes a key.", product_add},
    {"product set", "KEY",
     SET(ON(TRUSTED_CHECK_INS), ON(UNKNOWN_DEVICES), ON(DEVICE_SECRET), ON(NAME), ON(BY)), NONE,
     "change the settings of a product",
     "--unknown-devices: devices that are not known are admitted at their first check-in, held until an "
     "admin admits them, or refused. --trusted-check-ins: say yes only where nothing but the product's "
     "modules can reach the device listener, as in a private APN. A version in a check-in then counts like a "
     "report of the module's host, and the loop guard counts all requests of a device together. "
     "--device-secret required: a device without a valid secret gets code 25, like a device of an unknown product; "
     "make the secrets first, and look in secret list which devices use them.",
     product_set},
    {"product delete", "KEY", SET(ON(BY)), NONE, "delete a product without images and devices", NULL,
     product_delete},
    {"product list", "", SET(LIST), NONE, "list the products", NULL, product_list},

    {"image upload", "FILE…", SET(ON(VARIANT), ON(AS), ON(FIRMWARE), ON(VERSION)), NONE, "upload full images",
     "Firmware and version are read from the file name (AirM2M_780E_V1138_LTE_AT.dfota.bin, "
     "fotademo_1103.1.2_LuatOS-SoC_EC618.bin). For a single file, --firmware and --version can name them "
     "instead. If the server refuses a file, the other files are still uploaded. Several builds of one version, such as "
     "those of LuatOS with and without TTS, need a --variant each: 1 to 32 of a-z 0-9 . _ -",
     image_upload},
    {"image list", "[FIRMWARE]", SET(LIST), NONE, "list the images of one firmware or of all", NULL,
     image_list},
    {"image get", "FIRMWARE VERSION OUT", SET(ON(VARIANT)), NONE, "download an image",
     "The file OUT is written only when all bytes have arrived and their SHA-256 is the one that the "
     "server names.",
     image_get},

    {"image show", "FIRMWARE VERSION", SET(ON(VARIANT)), NONE, "show an image, and what was said about it",
     NULL, image_show},
    {"image about", "FIRMWARE VERSION",
     SET(ON(VARIANT), ON(PURPOSE), ON(RELEASE_NOTE), ON(ADVISORY), ON(SBOM)), NONE,
     "say what an image is for",
     "Purpose, release note and advisory are replaced together: those that are not given are removed, unless only "
     "--sbom is given. The SBOM is a JSON file of at most 1 MiB; its contents are not checked. All of it is shown with "
     "the image, and is in the evidence of campaigns.",
     image_about},

    {"image withdraw", "FIRMWARE VERSION", SET(ON(VARIANT), ON(REASON)), SET(ON(REASON)),
     "stop upgrades to this version",
     "The version is offered to no device, and a download that has begun cannot be resumed. If the version "
     "is the target, the firmware has no target afterwards. Upgrades from this version stay possible.",
     image_withdraw},
    {"image restore", "FIRMWARE VERSION", SET(ON(VARIANT)), NONE, "undo a withdrawal",
     "If the version was the target, set the target again.", image_restore},
    {"image waypoint", "FIRMWARE VERSION allowed|forbidden|required", SET(ON(VARIANT), ON(REASON)), NONE,
     "may, or must, paths stop at this version?",
     "forbidden: no path stops at this version, but the version can be a target. required: every path past "
     "this version stops at it, and --reason is needed.",
     image_waypoint},
    {"image default", "FIRMWARE VERSION yes|no", SET(ON(VARIANT)), NONE,
     "is this build assumed for unknown devices?",
     "For a version with several builds. yes: a device of the version whose build is not known gets packages made from this "
     "build. If the device runs another build, it cannot apply them. no: such a device gets no package.",
     image_default},
    {"image delete", "FIRMWARE VERSION", SET(ON(VARIANT)), NONE, "delete an image that no device needs",
     "The packages of the image are deleted too. The server refuses while the image is the target, a "
     "device runs it, or a device is on its way to it.",
     image_delete},

    {"firmware list", "", SET(LIST), NONE, "list the firmwares of the product", NULL, firmware_list},
    {"firmware show", "FIRMWARE", NONE, NONE, "show a firmware and what it still needs", NULL, firmware_show},
    {"firmware set", "FIRMWARE",
     SET(ON(FORMAT), ON(MAX_PACKAGE_BYTES), ON(DOWNGRADES), ON(CANARY), ON(QUARANTINE_AFTER), ON(HOURS),
         ON(MAX_BYTES_PER_MONTH), ON(FULL_PACKAGES)),
     NONE, "set format, limits, canary, hours",
     FORMATS "none to make no packages. A change applies from the next request on.", firmware_set},

    {"firmware rename", "FIRMWARE NAME", SET(ON(FORCE), ON(BY)), NONE, "give a firmware another name",
     "Devices send the name. The server refuses while it knows devices of the firmware, unless --force is "
     "given: devices that still send the old name then get code 26. A section [firmware NAME] of the "
     "configuration must be renamed too.",
     firmware_rename},
    {"firmware delete", "FIRMWARE", SET(ON(BY)), NONE, "delete a firmware without images and devices", NULL,
     firmware_delete},

    {"target set", "FIRMWARE VERSION", SET(ON(DRY_RUN)), NONE, "set the version that devices shall run",
     "A terminal shows the effect in numbers, and asks. --dry-run shows how many devices would be led there, by which "
     "path, with how many bytes, and what cannot be reached.",
     target_set},
    {"target clear", "FIRMWARE", NONE, NONE, "stop offering upgrades", NULL, target_clear},

    {"campaign create", "FIRMWARE NAME VERSION",
     SET(ON(STAGE), ON(DEVICES), ON(FILTER), ON(FROZEN), ON(DYNAMIC), ON(ORDER), ON(PAUSE_WHEN_DONE),
         ON(FINISH_TRANSFERS), ON(BY)),
     NONE, "write a campaign: devices to a version, in stages",
     "The campaign is a draft until campaign start. --stage is given once for each stage: 5, 10% or all, "
     "counted from the start of the campaign, then what must hold before the next stage begins: min=4 "
     "devices and confirmed=90 percent have confirmed, at most fail=0 devices did not apply a package, at "
     "most silent=0 are silent, settle=1d has passed since the last confirmation, approve=1 admins agree. "
     "Without --stage all devices are admitted at once. Without --devices or --filter the campaign is for "
     "all devices of the firmware. A filter needs --frozen or --dynamic. --order hash shuffles the devices, "
     "and spread takes devices with other tags in turn. Columns of a header in the file of --devices: "
     "device, tags, note, firmware, first.",
     campaign_create},
    {"campaign list", "FIRMWARE", SET(LIST), NONE, "list the campaigns of a firmware", NULL, campaign_list},
    {"campaign show", "FIRMWARE CAMPAIGN", NONE, NONE, "show a campaign with its stages",
     "CAMPAIGN is the name or the number.", campaign_show},
    {"campaign start", "FIRMWARE CAMPAIGN", SET(ON(DRY_RUN), ON(BY)), NONE, "start a campaign",
     "A terminal shows the effect in numbers, and asks. --dry-run shows how many devices would be led there, by which "
     "path, with how many bytes, and what cannot be reached.",
     campaign_start},
    {"campaign pause", "FIRMWARE CAMPAIGN", SET(ON(REASON), ON(BY)), NONE, "pause a campaign",
     "Devices get nothing new. A download that has begun may end, unless the campaign was created with "
     "--finish-transfers no.",
     campaign_pause},
    {"campaign resume", "FIRMWARE CAMPAIGN", SET(ON(BY)), NONE, "resume a campaign",
     "This accepts the failures so far: the gate breaks again with the next one.", campaign_resume},
    {"campaign cancel", "FIRMWARE CAMPAIGN", SET(ON(BY)), NONE, "end a campaign for good", NULL,
     campaign_cancel},
    {"campaign approve", "FIRMWARE CAMPAIGN STAGE", SET(ON(BY)), NONE, "approve the current stage",
     "STAGE is the number of the stage; the server refuses when another stage has begun. The name (--by, or the name of the user) counts once for a stage.",
     campaign_approve},
    {"campaign retarget", "FIRMWARE CAMPAIGN VERSION", SET(ON(BY)), NONE,
     "lead the devices to another version", "The first stage begins again.", campaign_retarget},
    {"campaign copy", "FIRMWARE CAMPAIGN NAME", SET(ON(BY)), NONE, "write a campaign like another one", NULL,
     campaign_copy},
    {"campaign delete", "FIRMWARE CAMPAIGN", SET(ON(BY)), NONE, "delete a draft", NULL, campaign_delete},
    {"campaign devices", "FIRMWARE CAMPAIGN", SET(ON(FILTER), ON(LIMIT), ON(OUTCOME), ON(PRINT_CSV)), NONE,
     "list the devices of a campaign",
     "Outcomes: waiting, admitted, confirmed, not_applied, diverged, silent, out.", campaign_devices},

    {"evidence get", "FIRMWARE CAMPAIGN OUT", SET(ON(ALL_ROWS)), NONE, "write the evidence of a campaign",
     "The signed file OUT has the images and packages with their SHA-256, approvals, gates, the outcome of each "
     "device, and the rows of the ledger about the campaign. It has ids of devices and names of people.",
     evidence_get},
    {"evidence verify", "FILE", SET(ON(PUBLIC_KEY)), NONE, "check such a file without a server",
     "Checks the signature, the hashes of the ledger's rows, and that the other sections fit them. Prints what was "
     "verified, and what was not. The exit status is 1 when the file was changed.",
     evidence_verify},
    {"missing-bases", "FIRMWARE", SET(LIST), NONE, "list versions in use that have no image", NULL,
     missing_bases_list},

    {"path", "FROM TO", SET(ON(FROM_VARIANT), ON(FIRMWARE), ON(WAIT)), NONE,
     "show the path from one version to another",
     "Shows each hop with its size, the pairs that were ruled out and why, and, if there is no path, what "
     "would help. --wait requests the packages that are still to be made, and waits until the result is "
     "final. --firmware is not needed if the product has one firmware.",
     path_show},

    {"package list", "FIRMWARE", SET(LIST), NONE, "list the packages of a firmware", NULL, package_list},
    {"package show", "FIRMWARE FROM TO", SET(ON(FROM_VARIANT), ON(TO_VARIANT), ON(WAIT)), NONE,
     "show one package", NULL, package_show},
    {"package log", "FIRMWARE FROM TO", SET(ON(FROM_VARIANT), ON(TO_VARIANT)), NONE,
     "print the output of an external command", NULL, package_log},
    {"package make", "FIRMWARE FROM TO", SET(ON(FROM_VARIANT), ON(TO_VARIANT), ON(WAIT)), NONE,
     "make a package before a device asks for it", "A package that has failed is made again.", package_make},
    {"package get", "FIRMWARE FROM TO OUT", SET(ON(FROM_VARIANT), ON(TO_VARIANT), ON(WAIT)), NONE,
     "download a package",
     "The file OUT is written only when all bytes have arrived and their SHA-256 is the one that the "
     "server names. A package over the size limit cannot be downloaded.",
     package_get},
    {"package upload", "FIRMWARE FROM TO FILE", SET(ON(FROM_VARIANT), ON(TO_VARIANT), ON(BY), ON(AS)),
     SET(ON(BY)), "upload a package made elsewhere",
     "The package replaces any other package for these two versions. If the server can apply it, the image "
     "of FROM must become the image of TO. If the server cannot apply it, it is unproven, and no device "
     "gets it before an admin releases it.",
     package_upload},
    {"package forget", "FIRMWARE FROM TO", SET(ON(FROM_VARIANT), ON(TO_VARIANT), ON(BY)), NONE,
     "remove an uploaded package", NULL, package_forget},
    {"package release", "FIRMWARE FROM TO", SET(ON(FROM_VARIANT), ON(TO_VARIANT), ON(NOTE), ON(BY), ON(YES)),
     SET(ON(NOTE)), "allow an unproven package for devices",
     "Shows the package and asks for the first digits of its SHA-256, unless --yes is given. The release "
     "is for exactly these bytes. The name (--by, or the name of the user) and --note are kept with them "
     "and shown with every attempt.",
     package_release},
    {"package unrelease", "FIRMWARE FROM TO", SET(ON(FROM_VARIANT), ON(TO_VARIANT), ON(BY)), NONE,
     "undo a release", "A download that has begun ends at the next range that the device asks for.",
     package_unrelease},

    {"package quarantine", "FIRMWARE FROM TO", SET(ON(FROM_VARIANT), ON(TO_VARIANT), ON(REASON), ON(BY)),
     SET(ON(REASON)), "take a package out of service",
     "No device gets the package, and paths lead around it, until package lift.", package_quarantine},
    {"package lift", "FIRMWARE FROM TO", SET(ON(FROM_VARIANT), ON(TO_VARIANT), ON(BY)), NONE,
     "put a package back into service",
     "The server takes a package out of service when its first device, or several later ones, came back "
     "with the old version.",
     package_lift},

    {"matrix", "FIRMWARE", SET(ON(PRINT_CSV)), NONE, "show package sizes of all pairs of images",
     "One row for each version that an upgrade starts from, one column for each version that it leads to; "
     "sizes in KB. A size over the limit is red on a terminal, and is followed by ! elsewhere and with "
     "NO_COLOR. … is still to be made, x could not be made, ? is unproven. A wide table is printed in "
     "blocks of columns.",
     matrix_show},
    {"queue", "[FIRMWARE]", NONE, NONE, "show the packages that are being made",
     "The first 20 packages of each firmware, in the order in which they are made, with the number of "
     "devices that wait for them; with -o json up to 1000.",
     queue_show},

    {"device list", "",
     SET(LIST, ON(FIRMWARE), ON(NOTICE), ON(CONFLICTS), ON(TAG), ON(RETIRED), ON(HELD), ON(PRINT_CSV)), NONE,
     "list the devices",
     "--filter has conditions such as version<1147, tag=north, last_seen>7d, with and, or, not and "
     "brackets; --sort last_seen or -last_seen. doc/devices.md lists the fields.",
     device_list},
    {"device show", "DEVICE", NONE, NONE, "show a device and why it got its last answer",
     "DEVICE is imei:…, mac:… or uid:…; without a prefix 14 to 16 digits are an IMEI, 12 hex digits are a "
     "MAC address, and anything else is a UID.",
     device_show},
    {"outcomes", "FIRMWARE [VERSION]", SET(ON(FILTER), ON(LIMIT), ON(STATE), ON(OLDER_THAN), ON(PRINT_CSV)),
     NONE, "show the outcome for each device",
     "Counts first, then one line per device. Some outcomes: confirmed; confirmed_not_by_us (the device "
     "runs the target, but this server did not deliver it); delivered; not_applied; silent; waiting; "
     "unreachable (no path). --state delivered,silent --older-than 24h lists the devices that got the "
     "package a day ago and have not confirmed. Without VERSION the target is that of the firmware, or "
     "of its campaigns.",
     outcomes_show},
    {"explain", "DEVICE", SET(ON(FIRMWARE), ON(VERSION), ON(LINK), ON(DIALECT)), NONE,
     "show the answer that a device would get now",
     "Makes the same decision as the device's next request, shows it rule by rule, and records nothing. "
     "The request is of the same kind as the device's last one, or over its newest link; --link N and "
     "--dialect choose another kind. Without --version the request is from the version that the device "
     "asked from last.",
     explain_show},
    {"why", "DEVICE", SET(ON(FIRMWARE), ON(VERSION), ON(LINK), ON(DIALECT)), NONE,
     "say in three sentences what a device gets",
     "What the device runs and shall run, what its next request gets and why, and what it got last. dfotactl explain "
     "has the same answer rule by rule.",
     why_show},
    {"device unblock", "DEVICE|FIRMWARE", SET(ON(ALL), ON(FILTER), ON(BY)), NONE,
     "unblock a device (loop guard, code 40)",
     "With --all the argument is a firmware, and all its blocked devices are unblocked; with --filter those "
     "that the filter selects.",
     device_unblock},
    {"device write-off", "DEVICE", SET(ON(BY)), NONE, "give up on a device that tries a package",
     "A package that no device has confirmed goes to one device. While that device is silent, no other "
     "device gets the package. After this command another device may try the package.",
     device_write_off},
    {"device tag", "DEVICE TAG…", SET(ON(REMOVE), ON(BY)), NONE, "add tags to a device, or remove them",
     "A device has at most 16 tags. A tag has letters, digits and . _ - : and at most 32 bytes.", device_tag},
    {"device note", "DEVICE TEXT", SET(ON(BY)), NONE, "set the note of a device",
     "At most 200 bytes. An empty text removes the note.", device_note},
    {"device build", "DEVICE VARIANT", SET(ON(BY)), NONE, "say which build of its version a device runs",
     "For a version with several builds. \"\" is the build without a name. The device gets packages made from this build.",
     device_build},
    {"device forget-build", "DEVICE", SET(ON(BY)), NONE, "the build of a device is not known any more", NULL,
     device_forget_build},
    {"device hold-out", "DEVICE…", SET(ON(BY)), NONE, "hold devices out of all campaigns",
     "The device gets code 27, and its campaigns do not wait for it. It stays in counts and lists.",
     device_hold_out},
    {"device let-in", "DEVICE…", SET(ON(BY)), NONE, "undo that", NULL, device_let_in},
    {"device retire", "DEVICE…", SET(ON(BY)), NONE, "stop offering packages to a device",
     "The device gets code 27, and is not in counts and lists. Its history is kept.", device_retire},
    {"device restore", "DEVICE…", SET(ON(BY)), NONE, "undo that", NULL, device_restore},
    {"device replace", "DEVICE NEW_DEVICE", SET(ON(BY)), NONE, "put another device in the place of a device",
     "The new device takes the tags, the note and the places in campaigns, and gets a link. The old one is "
     "retired.",
     device_replace},
    {"device delete", "DEVICE", SET(ON(BY)), NONE, "delete a device that never did anything",
     "The server refuses after a check-in, an attempt or a report: retire the device instead.",
     device_delete},
    {"device admit", "DEVICE…", SET(ON(BY)), NONE, "admit devices that are held", NULL, device_admit},
    {"device import", "FILE", SET(ON(BY)), NONE, "import devices from a CSV file",
     "The first line names the columns: device, tags, note, firmware, in any order. Without it each line is "
     "one device. UTF-8 or GBK. Either all lines are imported or none. An empty field changes nothing. "
     "firmware is for new devices, and is not needed if the product has one firmware.",
     device_import},
    {"device accept", "DEVICE VERSION", SET(ON(BY)), NONE, "accept a claim of a lower grade",
     "VERSION is the version in the claim, as shown by device show; if a newer claim has arrived, nothing "
     "changes. From then on reports of the same source count for this device, until a report of a higher "
     "grade arrives.",
     device_accept},
    {"device dismiss", "DEVICE", SET(ON(BY)), NONE, "dismiss a claim of a lower grade", NULL, device_dismiss},
    {"device link", "DEVICE", SET(ON(VERSION), ON(FIRMWARE), ON(WAIT)), NONE, "make a URL for an AT module",
     "Prints the commands for the module too. --version is the version that the module runs; without it "
     "the link uses the version that was reported last. --firmware is not needed if the version is a full "
     "name, the device is known, or the product has one firmware. --wait ends when the package for the "
     "link is made; a module that asks earlier is told to wait.",
     device_link},
    {"device links", "FIRMWARE", SET(ON(CSV), ON(VERSION)), SET(ON(CSV)),
     "make a link for each IMEI in a CSV file",
     "Each line is IMEI[,VERSION]; --version is for lines without a version. Either all links are made or "
     "none. A device that has such a link keeps it, so the command can be repeated. -o csv prints a file for the "
     "factory: device, version, URL, and the commands for the module.",
     device_links},
    {"device revoke", "[DEVICE]", SET(ON(LINK), ON(CSV)), NONE, "revoke all links of a device, or one",
     "With --csv: all links of each device in the first column of the file. Each line gets its answer: revoked, had-none, "
     "unknown (no such device) or refused; then the exit status is 1, and the other lines are handled too.",
     device_revoke},

    {"report", "DEVICE FILE", SET(ON(CAPTURED_AT)), NONE, "send what a host captured from its module",
     "FILE is the raw text of the serial line; \"-\" is standard input. The server shows what it found. "
     "The last version in the text counts as a report if it is newer than the confirmed version. "
     "--captured-at gives the time of the capture, for a text without the network's time (+NITZ).",
     report_send},
    {"reports import", "FILE", SET(ON(FIRMWARE)), NONE, "import versions of devices from a CSV file",
     "Each line is IMEI,VERSION[,TIME]; TIME is like 2026-11-22T10:00:00Z or in milliseconds since 1970, and without it the time is "
     "now. Either all lines are imported or none. Lines that are older than the confirmed version are "
     "listed and change nothing. --firmware is not needed if the product has one firmware.",
     report_import},
    {"transcripts", "DEVICE [N]", SET(LIST), NONE, "list captured texts of a device, or show one",
     "-o json with N also prints the text.", transcript_list},

    {"unknown list", "", SET(LIST), NONE, "list refused names, versions and ids",
     "What devices sent when they got code 25, 26, 17, 44 or 3; the newest first, each with what to do "
     "about it. With --product only rows of that product. The server keeps at most 100 rows of a product. "
     "DEVICES counts up to 8.",
     unknown_list},
    {"unknown forget", "ROW", NONE, NONE, "remove one row of that list, or all",
     "ROW is the number of the row, or all.", unknown_forget},

    {"webhook add", "NAME URL", SET(ON(KINDS), ON(SECRET_FILE), ON(TEMPLATE_FILE), ON(ENABLED), ON(BY)), NONE,
     "send events to a URL",
     "With --product only events of that product. --kinds names some of package-ready, confirmed, "
     "not-applied, package-oversize, package-quarantined, stage-done, campaign-paused, campaign-finished, "
     "needs-person and test. The text in --secret-file signs each request. "
     "--template-file is the body for a chat robot: JSON with placeholders such as {summary}; see "
     "webhooks.md.",
     webhook_add},
    {"webhook list", "", SET(LIST), NONE, "list the webhooks", NULL, webhook_list},
    {"webhook show", "WEBHOOK", NONE, NONE, "show a webhook", "WEBHOOK is its name or its number.",
     webhook_show},
    {"webhook set", "WEBHOOK",
     SET(ON(NEW_NAME), ON(NEW_URL), ON(KINDS), ON(SECRET_FILE), ON(TEMPLATE_FILE), ON(ENABLED), ON(BY)), NONE,
     "change a webhook",
     "--secret-file none and --template-file none remove the secret and the template. A disabled webhook "
     "gets no new events; events that wait already stay.",
     webhook_set},
    {"webhook delete", "WEBHOOK", SET(ON(BY)), NONE, "remove a webhook and its events", NULL, webhook_delete},
    {"webhook test", "WEBHOOK", NONE, NONE, "send a test event and show the answer", NULL, webhook_test},
    {"webhook failed", "WEBHOOK", SET(LIST), NONE, "list events that could not be delivered", NULL,
     webhook_failed},
    {"webhook waiting", "WEBHOOK", SET(LIST), NONE, "list events that are not delivered yet", NULL,
     webhook_waiting},
    {"webhook resend", "WEBHOOK EVENT", NONE, NONE, "send failed events again",
     "EVENT is a number from webhook failed, or all.", webhook_resend},
    {"webhook forget", "WEBHOOK EVENT", NONE, NONE, "remove events that shall not be sent",
     "EVENT is a number from webhook failed or webhook waiting; all removes every failed event.",
     webhook_forget},

    {"secret add", "[DEVICE]", SET(ON(SECRET_FILE)), NONE, "make a secret for a device or product",
     "The device shows the secret in the path of its URL (http://HOST/t/SECRET/…), or as device_key. The server makes "
     "a random secret, unless --secret-file has one: 16 to 64 characters of A-Z a-z 0-9 . _ -. Standard output has only "
     "the secret.",
     secret_add},
    {"secret list", "[DEVICE]", SET(LIST), NONE, "list the secrets of devices",
     "DEVICES counts the devices that used this secret last. LAST USED is at most a day old. Without the scope "
     "operate the secrets themselves are not shown.",
     secret_list},
    {"secret rotate", "SECRET", SET(ON(OVERLAP), ON(SECRET_FILE)), NONE, "replace a secret by a new one",
     "SECRET is its number. The old secret works for --overlap hours more (720 without it); 0 ends it at once. "
     "Standard output has only the new secret.",
     secret_rotate},
    {"secret revoke", "SECRET", NONE, NONE, "end a secret at once",
     "SECRET is its number. Devices that use it get no answer but 404 from then on.", secret_revoke},

    {"token add", "NAME", SET(ON(SCOPE), ON(EXPIRES), ON(BY)), SET(ON(SCOPE)),
     "make a token for the admin API",
     "Each scope includes the ones before. read: everything that can be seen. upload: also images and "
     "packages. operate: also devices, links, campaigns, reports and releases. admin: everything. With "
     "--product the token reaches only that product. Standard output has only the token, for a file: dfotactl "
     "token add ci --scope upload > ci.token",
     token_add},
    {"token list", "", SET(LIST), NONE, "list the tokens", NULL, token_list},
    {"token rotate", "TOKEN", SET(ON(OVERLAP), ON(EXPIRES), ON(BY)), NONE, "give a token a new secret",
     "TOKEN is its name or its number. The old secret works for --overlap hours more; 0 ends it at once. "
     "Standard output has only the new secret.",
     token_rotate},
    {"token revoke", "TOKEN", SET(ON(BY)), NONE, "end a token and its sessions at once",
     "TOKEN is its name or its number. The last token that may do everything and never expires cannot be "
     "revoked.",
     token_revoke},

    {"ledger list", "", SET(LIST, ON(PRINT_CSV), ON(DEVICE), ON(KIND), ON(SINCE), ON(UNTIL)), NONE,
     "list what happened, one row per fact",
     "All rows that match the options, the oldest first. With --product only rows of that product. "
     "ledger.md explains each kind of row.",
     ledger_list},
    {"ledger head", "", NONE, NONE, "show number and hash of the last row",
     "Keep them in another place for ledger verify.", ledger_head},
    {"ledger verify", "", SET(ON(AGAINST)), NONE, "compute the whole chain of hashes again",
     "Finds a row that was changed, removed or moved. To find out that the end is missing, or that the "
     "whole ledger was computed again, compare with a head that was kept in another place: dfotactl ledger "
     "head -o json > FILE, and later --against FILE.",
     ledger_verify},
    {"ledger prune", "", SET(ON(BEFORE), ON(BY)), SET(ON(BEFORE)),
     "remove old rows; a checkpoint replaces them",
     "The remaining rows can still be verified. Export the head first, and keep it together with the "
     "exported rows.",
     ledger_prune},
};
const size_t command_table_count = sizeof command_table / sizeof *command_table;
