-- dialog.cfg in Lua: a proxy that tracks every call; the R-URI user of an initial request chooses what is done with it.

local pv, log = KSR.pv, KSR.xlog.xnotice

local function header(name)
    return pv.gete("$hdr(" .. name .. ")")
end

-- What the network of the test is called: 127.x.y.
local function net()
    return (pv.gete("$Ri"):gsub("%.%d+$", ""))
end

function ksr_request_route()
    if KSR.maxfwd.process_maxfwd(10) < 0 then
        KSR.sl.sl_send_reply(483, "Too Many Hops")
        return
    end
    -- Says in the log how far it has come.
    if KSR.is_OPTIONS() and pv.gete("$rU"):find("^mark%-") then
        log("$rU\n")
        KSR.x.exit()
    end
    if KSR.is_CANCEL() then
        if KSR.tm.t_check_trans() > 0 then KSR.tm.t_relay() end
        return
    end
    if KSR.is_OPTIONS() and pv.gete("$rU") == "api" then return api() end
    if KSR.siputils.has_totag() > 0 then return within() end
    if not KSR.is_ACK() then KSR.tm.t_check_trans() end
    if KSR.is_REGISTER() then
        KSR.registrar.save("location", 0)
        return
    end
    if KSR.is_INVITE() then
        local track = header("Track")
        if track == "flag" then
            KSR.setflag(4)
        else
            track_call()
        end
        if track == "refuse" then
            KSR.sl.sl_send_reply(403, "Not you")
            return
        end
        if track == "refuse statefully" then
            KSR.tm.t_newtran()
            KSR.tm.t_reply(480, "Not now")
            return
        end
    end
    KSR.rr.record_route()
    relay()
end

function track_call()
    local lifetime = header("Lifetime")
    if lifetime ~= "" then pv.seti("$avp(lifetime)", tonumber(lifetime)) end
    pv.sets("$dlg_ctx(timeout_route)", "EXPIRED")
    if header("Keep") ~= "" then
        KSR.dialog.dlg_set_property("ka-src")
        KSR.dialog.dlg_set_property("ka-dst")
    end
    KSR.dialog.dlg_setflag(3)
    pv.sets("$dlg_var(before)", "set before")
    KSR.dialog.dlg_manage()
    pv.sets("$dlg_var(after)", "of " .. pv.gete("$fU"))
    KSR.dialog.set_dlg_profile_static("inbound")
    KSR.dialog.set_dlg_profile("caller", pv.gete("$fU"))
    log("tracked $dlg(callid) state=$dlg(state) sflags=$dlg(sflags) before=$dlg_var(before) after=$dlg_var(after)\n")
end

function relay()
    local transport = ""
    if KSR.is_TCP() then transport = ";transport=tcp" end
    pv.sets("$avp(transport)", transport)
    local user = pv.gete("$rU")
    local bob = "sip:bob@" .. net() .. ".20:5060" .. transport
    if user == "fork" then
        KSR.seturi(bob)
        KSR.corex.append_branch_uri("sip:carol@" .. net() .. ".30:5060" .. transport)
    elseif user == "serial" then
        KSR.tm.t_on_failure("ksr_failure_next")
        KSR.seturi(bob)
    elseif user == "spiral" then
        pv.sets("$rU", "again")
    elseif user == "again" then
        KSR.seturi(bob)
    elseif KSR.is_myself_ruri() then
        if KSR.registrar.lookup("location") < 0 then
            KSR.sl.sl_send_reply(404, "Not Found")
            return
        end
    end
    KSR.tm.t_on_reply("ksr_onreply_seen")
    KSR.tm.t_relay()
end

function within()
    if KSR.rr.loose_route() > 0 then
        if KSR.dialog.is_known_dlg() > 0 then
            log("within $rm known state=$DLG_status count=$DLG_count after=$dlg_var(after) known_to=$dlg(to_tag)\n")
        else
            log("within $rm unknown\n")
        end
        if KSR.is_MESSAGE() then
            return command()
        end
        KSR.tm.t_relay()
        return
    end
    if header("Track") == "manage" then
        KSR.dialog.dlg_manage()
        log("managed $rm state=$DLG_status after=$dlg_var(after)\n")
        KSR.tm.t_relay()
        return
    end
    if KSR.is_ACK() then
        if KSR.tm.t_check_trans() > 0 then KSR.tm.t_relay() end
        return
    end
    KSR.sl.sl_send_reply(404, "Not here")
end

-- Requests inside a call that ask for something from the script.
local commands = {
    bye = function() return KSR.dialog.dlg_bye("all") end,
    ["bye callee"] = function() return KSR.dialog.dlg_bye("callee") end,
    ["bye caller"] = function() return KSR.dialog.dlg_bye("caller") end,
    ["no reset"] = function() return KSR.dialog.dlg_set_property("timeout-noreset") end,
    timeout = function() return KSR.dialog.dlg_set_timeout(2) end,
    look = function()
        local code = KSR.dialog.dlg_get(pv.get("$ci"), pv.get("$ft"), pv.get("$tt"))
        log("dir=$dlg_ctx(dir) set=$dlg_ctx(set) route=$dlg_ctx(timeout_route)\n")
        log("$dlg(from_uri) $dlg(to_uri) $dlg(from_tag) $dlg(to_tag) $dlg(from_cseq) $dlg(to_cseq)\n")
        log("$dlg(state) $dlg(lifetime) $dlg(callid) $dlg(sflags)\n")
        KSR.dialog.dlg_setflag(5)
        KSR.dialog.dlg_resetflag(3)
        if KSR.dialog.dlg_isflagset(5) > 0 then log("five\n") end
        if KSR.dialog.dlg_isflagset(3) > 0 then log("three\n") end
        return code
    end,
    profiles = function()
        KSR.dialog.get_profile_size_static("inbound", "$var(inbound)")
        KSR.dialog.get_profile_size("caller", "alice", "$var(alice)")
        local code = KSR.dialog.is_in_profile("caller", "nobody")
        log("inbound=$var(inbound) alice=$var(alice)\n")
        return code
    end,
    variables = function()
        KSR.dialog.var_rm("before")
        pv.sets("$dlg_var(empty)", "")
        KSR.dialog.var_sets("after", "changed")
        log("before=$dlg_var(before) empty=[$dlg_var(empty)] after=$dlg_var(after)\n")
        return 1
    end,
}

function command()
    local name = header("Command")
    local run = commands[name]
    if run then
        log("command " .. name .. " -> " .. run() .. "\n")
    end
    KSR.sl.sl_send_reply(200, "Done")
end

function ksr_onreply_seen()
    log("reply $rs branch=$T_branch_idx\n")
end

function ksr_failure_next()
    log("failure $T_reply_code\n")
    if KSR.tm.t_is_canceled() > 0 then return end
    KSR.seturi("sip:carol@" .. net() .. ".30:5060" .. pv.gete("$avp(transport)"))
    KSR.tm.t_relay()
end

function dialog_changed(name)
    if name == "dialog:start" then
        local callee = pv.is_null("$dlg(to_tag)") and "unknown" or "known"
        log("event start $rm $rs state=$dlg(state) callee=" .. callee ..
            " from=$dlg(from_tag) after=$dlg_var(after)\n")
    elseif name == "dialog:end" then
        log("event end $rm callid=$dlg(callid) after=$dlg_var(after)\n")
    elseif name == "dialog:failed" then
        log("event failed $rs state=$dlg(state) after=$dlg_var(after)\n")
    elseif name == "dialog:timeout" then
        log("timeout route $dlg(callid) state=$dlg(state) after=$dlg_var(after)\n")
    end
end
