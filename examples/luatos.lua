-- SPDX-FileCopyrightText: The dfota authors
-- SPDX-License-Identifier: Apache-2.0
-- Upgrades a LuatOS module with libfota2. doc/hosts.md explains it. In main.lua, after PROJECT and VERSION:
--
--     require("luatos").start {
--         url = "http://fota.example:8080/api/site/firmware_upgrade",
--         project_key = "pumps",
--         may_restart = function() return not pump_runs end, -- can be left out
--     }

local sys = require "sys"
local libfota2 = require "libfota2"

local MINUTE = 60 * 1000
local HOUR = 60 * MINUTE

-- Result 4 has many reasons: nothing new, please wait (43), a failed download. So the module asks three times after each start,
-- and then four times a day.
local SOON = { 10 * MINUTE, 30 * MINUTE }
local LATER = 6 * HOUR
local NO_NETWORK = 10 * MINUTE
local NETWORK_WAIT = 5 * MINUTE
local ANSWER_WAIT = 11 * MINUTE -- libfota2 ends a request after 10 minutes; some of its versions never call back
local RESTARTS = 3              -- that did not lead to another version; then one a day
local KEY = "dfota_restarts"

local results = {
    [0] = "the package is stored",
    [1] = "no connection to the server",
    [2] = "the URL is wrong",
    [3] = "the server closed the connection",
    [4] = "nothing new, not ready yet, or a failed download",
    [5] = "project_key or VERSION is missing or wrong",
}

local M = {}
local questions = 0

-- Asks the server once. Returns the result of libfota2; nil: no answer came.
local function ask(options)
    -- A new table each time: libfota2 keeps the whole URL in it, with the version.
    local request = { url = options.url, project_key = options.project_key, timeout = 10 * MINUTE }
    -- A new topic each time: a late callback must not answer a later question.
    questions = questions + 1
    local topic = "DFOTA_RESULT_" .. questions
    local ok, why = pcall(libfota2.request, function(result) sys.publish(topic, result) end, request)
    if not ok then
        log.error("dfota", why)
        return nil
    end
    local came, result = sys.waitUntil(topic, ANSWER_WAIT)
    return came and result or nil
end

-- How often this version has restarted for a package. Only another VERSION proves that an upgrade worked: a result 0
-- does not, because some http libraries report it for a part of the package.
local function restarts()
    local version, count = tostring(fskv.get(KEY) or ""):match("^(.*) (%d+)$")
    if version and version ~= VERSION then
        log.info("dfota", "upgraded from", version, "to", VERSION)
        fskv.del(KEY)
    end
    return version == VERSION and tonumber(count) or 0
end

local function restart(options)
    while options.may_restart and not options.may_restart() do
        sys.wait(1000)
    end
    fskv.set(KEY, VERSION .. " " .. restarts() + 1) -- before the restart: a power cut may come first
    log.info("dfota", "restarts")
    rtos.reboot()
end

local function run(options)
    local tries = 0
    fskv.init()
    if restarts() >= RESTARTS then
        log.warn("dfota", "packages do not lead to another version; asks again in a day")
        sys.wait(24 * HOUR)
    else
        sys.wait(math.random(60) * 1000) -- not all modules at once after a power cut
    end
    while true do
        local result = nil
        if socket.adapter(socket.dft()) or sys.waitUntil("IP_READY", NETWORK_WAIT) then
            result = ask(options)
            log.info("dfota", VERSION, results[result] or "no answer")
        end
        if result == 0 then
            restart(options)
        elseif result == 4 then
            tries = tries + 1
            sys.wait(SOON[tries] or LATER)
        else
            sys.wait(NO_NETWORK)
        end
    end
end

-- Asks for ever, in a task of its own.
function M.start(options)
    assert(options.url and options.project_key, "url and project_key are needed")
    sys.taskInit(run, options)
end

return M
