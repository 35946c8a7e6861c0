-- Shows what many functions of KSR return. Lines are written by xnotice, so that a dollar sign would be a variable.

local function show(name, ...)
    local out = {}
    for i = 1, select("#", ...) do
        local value = select(i, ...)
        out[i] = type(value) .. ":" .. tostring(value):gsub("\r\n", "~"):gsub("%$", "")
    end
    KSR.xlog.xnotice(name .. " => " .. table.concat(out, " | ") .. "\n")
end

local message = {
    "get_ruri", "get_ruser", "getw_ruser", "gete_ruser", "get_rhost", "get_ouri", "get_furi", "get_fuser", "get_fhost",
    "get_turi", "get_tuser", "get_thost", "get_duri", "gete_duri", "getw_duri", "get_cturi", "gete_cturi", "getw_cturi",
    "get_nhuri", "get_srcuri", "get_srcaddr_sock", "get_ua", "gete_ua", "get_srcip", "get_srcport", "get_send_sock",
    "get_send_sock_name", "get_send_sock_port", "get_rcvip", "get_rcv_sock_name", "get_rcvport", "get_rcvadvip",
    "get_rcvadvport", "get_rcvaddr_sock", "get_proto", "get_protoid", "get_au", "getw_au", "gete_au", "get_method",
    "get_status", "gets_status", "get_body", "getw_body", "gete_body", "get_bodylen", "get_callid",
    "get_msglen", "get_msgtype",
}

local questions = {
    "is_INVITE", "is_OPTIONS", "is_ACK", "is_UDP", "is_TCP", "is_TLS", "is_WS", "is_WSS", "is_WSX", "is_SCTP", "is_IPv4",
    "is_IPv6", "is_myself_ruri", "is_myself_furi", "is_myself_turi", "is_myself_duri", "is_myself_nhuri",
    "is_myself_suri", "is_myself_srcip", "isdsturiset", "to_UDP", "to_TCP", "force_rport",
}

local variables = {
    "$ru", "$rU", "$rd", "$rm", "$rs", "$mi", "$ml", "$ci", "$cs", "$si", "$sp", "$Rp", "$var(fresh)", "$avp(none)",
    "$(ru{uri.user})", "$(hdr(X-Test)[1])", "$hdr(X-Test)", "$T_branch_idx", "$null", "$bs", "$cT", "$fn", "$tt",
}

function api()
    for _, name in ipairs(message) do show("kx." .. name, KSR.kx[name]()) end
    for _, name in ipairs(questions) do show(name, KSR[name]()) end
    for _, name in ipairs(variables) do
        show("pv " .. name:gsub("%$", ""), KSR.pv.get(name), KSR.pv.gete(name), KSR.pv.getw(name), KSR.pv.is_null(name))
    end
    show("pv of another kind", KSR.pv.getvn("$avp(none)", 7), KSR.pv.getvs("$avp(none)", "other"), KSR.pv.geti("$sp"))
    show("pv.seti", KSR.pv.seti("$var(a)", 5), KSR.pv.get("$var(a)"), KSR.pv.seti("$var(a)", "12"), KSR.pv.get("$var(a)"),
        KSR.pv.seti("$var(a)", 5.7), KSR.pv.get("$var(a)"))
    show("pv.sets", KSR.pv.sets("$var(a)", "x"), KSR.pv.sets("$var(a)", 9), KSR.pv.get("$var(a)"))
    show("pv.unset", KSR.pv.sets("$avp(q)", "1"), KSR.pv.unset("$avp(q)"), KSR.pv.get("$avp(q)"))
    show("methods", KSR.is_method("OPTIONS"), KSR.is_method("options"), KSR.is_method("INVITE|OPTIONS"),
        KSR.is_method_in("IO"), KSR.is_method_in("I"), KSR.is_method_in(""))
    for _, letters in ipairs { "U", "T", "udp", "UDP", "u", "UT", "tcp", "E", "" } do
        show("is_proto " .. letters, KSR.is_proto(letters))
    end
    show("ports", KSR.is_src_port(5060), KSR.is_src_port(5), KSR.is_dst_port(5060))
    show("flags", KSR.setflag(3), KSR.isflagset(3), KSR.resetflag(3), KSR.isflagset(3), KSR.setflag(77), KSR.setflag("5"),
        KSR.isflagset(5), KSR.setflag(5, 6), KSR.setbflag(3), KSR.isbflagset(3), KSR.isbiflagset(3, 0), KSR.resetbflag(3),
        KSR.isbflagset(3), KSR.setsflag(4), KSR.issflagset(4), KSR.resetsflag(4), KSR.issflagset(4))
    show("uris", KSR.seturi("sip:a@test.example"), KSR.setuser("b"), KSR.sethost("c.example"), KSR.kx.get_ruri(),
        KSR.setdsturi("sip:192.0.2.1:5080"), KSR.isdsturiset(), KSR.kx.get_duri(), KSR.kx.get_nhuri(),
        KSR.resetdsturi(), KSR.isdsturiset())
    show("is_myself", KSR.is_myself("sip:nobody@test.example"), KSR.is_myself("test.example"))
    show("headers", KSR.hdr.is_present("From"), KSR.hdr.is_present("X-None"), KSR.hdr.get("X-Test"), KSR.hdr.get("X-None"),
        KSR.hdr.gete("X-None"), KSR.hdr.getw("X-None"), KSR.hdr.get("i"), KSR.hdr.get("call-id"))
    for at = -3, 3 do
        show("header " .. at, KSR.hdr.get_idx("X-Test", at), KSR.hdr.gete_idx("X-Test", at), KSR.hdr.getw_idx("X-Test", at))
    end
    for _, operator in ipairs { "eq", "ne", "sw", "in", "re" } do
        for _, which in ipairs { "f", "l", "a" } do
            show("match " .. operator .. " " .. which, KSR.hdr.match_content("X-Test", operator, "one", which),
                KSR.hdr.match_content("X-Test", operator, "t", which), KSR.hdr.match_content("X-None", operator, "t", which))
        end
    end
    show("pvx", KSR.pvx.var_seti("a", 5), KSR.pvx.var_get("a"), KSR.pvx.avp_sets("b", "q"), KSR.pvx.avp_get("b"),
        KSR.pvx.avp_rm("b"), KSR.pvx.avp_get("b"), KSR.pvx.avp_gete("b"), KSR.pvx.avp_getw("b"), KSR.pvx.avp_is_null("b"))
    for _, class in ipairs { "xavp_", "xavu_", "xavi_" } do
        local of = function(name, ...) return KSR.pvx[class .. name](...) end
        show(class, of("sets", "r", "v"), of("get", "r"), of("is_null", "r"), of("child_sets", "t", "c", "w"),
            of("child_get", "t", "c"), of("child_gete", "t", "d"), of("child_getw", "t", "d"), of("child_is_null", "t", "d"),
            of("child_seti", "t", "n", 6), of("child_get", "t", "n"), of("child_rm", "t", "c"), of("child_get", "t", "c"),
            of("rm", "t"), of("is_null", "t"))
    end
    show("evalx", KSR.pvx.evalx("$var(z)", "hello $rm"), KSR.pv.get("$var(z)"))
    show("dialog", KSR.dialog.is_known_dlg(), KSR.dialog.var_get("z"), KSR.dialog.var_gete("z"), KSR.dialog.var_getw("z"),
        KSR.dialog.var_is_null("z"))
    show("tm", KSR.tm.t_on_failure("any"), KSR.tm.t_is_set("failure_route"), KSR.tm.t_is_set("onreply_route"),
        KSR.tm.t_check_trans(), KSR.tm.t_get_status_code())
    show("siputils", KSR.siputils.is_request(), KSR.siputils.is_reply(), KSR.siputils.has_totag(),
        KSR.siputils.is_uri("sip:a@b"), KSR.siputils.is_numeric("12"), KSR.siputils.is_first_hop())
    show("textops", KSR.textops.search("OPTIONS"), KSR.textops.is_present_hf("X-Test"), KSR.textops.cmp_str("a", "a"),
        KSR.textops.starts_with("abc", "ab"), KSR.textops.in_list("a", "b,a", ","), KSR.textops.has_body())
    show("corex", KSR.corex.has_ruri_user(), KSR.corex.has_user_agent(), KSR.corex.is_faked_msg(),
        KSR.corex.append_branch_uri("sip:x@test.example"), KSR.corex.append_branch_uri_q("sip:y@test.example", "0.5"))
    show("rr", KSR.rr.is_direction("downstream"), KSR.rr.check_route_param("x"), KSR.rr.loose_route())
    show("others", KSR.maxfwd.is_maxfwd_lt(10), KSR.sanity.sanity_check_defaults(), KSR.counters.inc("script.none"))
    show("wrong", KSR.tm.t_relay == nil, KSR.pv.get("ru"), KSR.pv.get(nil), KSR.setflag(nil), KSR.info("seen\n"))
    show("caught", pcall(function() error("mine", 0) end))
    KSR.hdr.rmappend("X-Test", "X-Test: new\r\n")
    KSR.hdr.insert_before("X-B: 1\r\n", "From")
    KSR.hdr.append_after("X-C: 1\r\n", "From")
    KSR.hdr.append("X-D: 1\r\n")
    KSR.hdr.insert("X-E: 1\r\n")
    KSR.hdr.rminsert("User-Agent", "User-Agent: other\r\n")
    show("applied", KSR.textopsx.msg_apply_changes(), KSR.pv.get("$mb"))
    KSR.hdr.append_to_reply("X-R: 1\r\n")
    KSR.sl.send_reply(200, "Shown")
end
