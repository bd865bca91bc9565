-- SPDX-FileCopyrightText: The dfota authors
-- SPDX-License-Identifier: Apache-2.0
-- The libraries of LuatOS, as far as examples/luatos.lua needs them, and as unpleasant as the real ones. Run by
-- lua5.4 luatos-stub.lua FOLDER HOURS [FAULT]...: the module has its flash in FOLDER, and runs for so many hours. Hours pass
-- at once; only requests take time. It ends with 0 when it restarts, else with 3.
--
-- libfota2 calls back from another task, keeps the URL in the caller's table, and tells 4 for every answer but a package.
-- A fault happens once in the life of the flash:
--   silent   no callback
--   twice    a second callback, with result 0, while the next request is on its way
--   cut      a tenth of the package, with result 0
--   offline  no network for an hour
--   throws   libfota2 ends with an error

local folder, hours = arg[1], tonumber(arg[2])
PROJECT, VERSION = os.getenv("PROJECT"), os.getenv("VERSION")

local function read(name)
    local file = io.open(folder .. "/" .. name, "rb")
    local text = file and file:read("a")
    if file then file:close() end
    return text
end

local function write(name, text)
    local file = assert(io.open(folder .. "/" .. name, "wb"))
    file:write(text)
    file:close()
end

local function takes(fault)
    for i = 3, #arg do
        if arg[i] == fault and not read("fault-" .. fault) then
            write("fault-" .. fault, "")
            return true
        end
    end
    return false
end

local function say(level)
    return function(...)
        print(level, ...)
    end
end
log = { info = say("I"), warn = say("W"), error = say("E") }

-- Tasks. A message is delivered by run(), never inside of publish().
local now, tasks, messages = 0, {}, {}
local sys = {}
local resume

function sys.taskInit(body, ...)
    local task = { thread = coroutine.create(body), due = now, args = { ... } }
    tasks[#tasks + 1] = task
end

function sys.wait(ms)
    coroutine.yield({ due = now + ms })
end

function sys.waitUntil(topic, ms)
    return coroutine.yield({ due = now + ms, topic = topic })
end

function sys.publish(topic, ...)
    messages[#messages + 1] = { topic = topic, args = { ... } }
end

function resume(task, ...)
    local ok, waits = coroutine.resume(task.thread, ...)
    assert(ok, waits)
    task.due, task.topic = waits and waits.due, waits and waits.topic
end

local function after(ms, call)
    sys.taskInit(function()
        sys.wait(ms)
        call()
    end)
end

local function step()
    local message = table.remove(messages, 1)
    if message then
        for _, task in ipairs(tasks) do
            if task.topic == message.topic then resume(task, true, table.unpack(message.args)) end
        end
        return
    end
    local first
    for _, task in ipairs(tasks) do
        if task.due and (not first or task.due < first.due) then first = task end
    end
    if first.due > hours * 3600000 then os.exit(3) end
    if first.due - now > 1000 then os.execute("sleep 0.02") end
    now = first.due
    if first.args then
        local args = first.args
        first.args = nil
        resume(first, table.unpack(args))
    else
        resume(first, false)
    end
end

fskv = {
    init = function() return true end,
    get = function(key) return read("fskv-" .. key) end,
    set = function(key, value) write("fskv-" .. key, value) return true end,
    del = function(key) os.remove(folder .. "/fskv-" .. key) return true end,
}
rtos = {
    reboot = function()
        print("restart", now // 60000)
        os.exit(0)
    end,
}
local offline_until = takes("offline") and 3600000 or 0
socket = { dft = function() return 1 end, adapter = function() return now >= offline_until end }

local libfota2, late = {}, nil

function libfota2.request(callback, opts)
    if takes("throws") then error("attempt to index a nil value") end
    local x, z = VERSION:match("^(%d+)%.%d+%.(%d+)$")
    opts.url = string.format("%s?imei=%s&project_key=%s&firmware_name=%s_LuatOS-SoC_Air780E&version=%s.%s.%s", opts.url, os.getenv("IMEI"),
        opts.project_key, PROJECT, os.getenv("CORE"), x, z)
    print("ask", now // 60000)
    local curl = io.popen(string.format("curl -s -o '%s/answer' -w '%%{http_code}' '%s'", folder, opts.url))
    local status = curl:read("a")
    curl:close()
    local result = status == "000" and 1 or status == "200" and 0 or 4
    if result == 0 then
        local body = read("answer")
        write("package", takes("cut") and body:sub(1, #body // 10) or body)
    else
        print("answer", read("answer"))
    end
    if takes("silent") then return end
    if late then after(1, late) end
    late = takes("twice") and function() callback(0) end or nil
    after(5, function() callback(result) end)
end

package.loaded.sys, package.loaded.libfota2 = sys, libfota2
dofile(os.getenv("EXAMPLE")).start { url = os.getenv("URL"), project_key = os.getenv("PROJECT_KEY"), may_restart = function() return now >= 120000 end }
while true do
    step()
end
