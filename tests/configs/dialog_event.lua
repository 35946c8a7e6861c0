-- The example of parameter event_callback in the documentation of module dialog, as it is printed there.
-- event callback function implemented in Lua
function ksr_dialog_event(evname)
        KSR.info("===== dialog module triggered event: " .. evname .. "\n");
        return 1;
end
