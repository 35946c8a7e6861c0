//! What is looked at when the configuration is loaded: arguments that are known by then, and parameters that
//! deserve a word.

use engine::{InitError, Setup, level};
use script::Program;

use super::{ending, parameters, properties, refer, state};

/// Arguments that have to be one of a few words, and are known now.
pub(super) fn arguments(program: &Program) -> Result<(), InitError> {
    for function in ["dlg_bye", "dlg_req_within"] {
        for (place, side) in program.constant_arguments(function, 0) {
            if ending::sides(side).is_none() {
                let text = format!("{function}: \"{side}\" is none of all, caller, callee");
                return Err(state::at(place, &text));
            }
        }
    }
    for (place, side) in program.constant_arguments("dlg_refer", 0) {
        if refer::side(side).is_none() {
            let text = format!("dlg_refer: \"{side}\" is neither caller nor callee");
            return Err(state::at(place, &text));
        }
    }
    for function in ["dlg_set_property", "dlg_reset_property"] {
        for (place, attribute) in program.constant_arguments(function, 0) {
            properties::bit(attribute)
                .map_err(|why| state::at(place, &format!("{function}: {why}")))?;
        }
    }
    Ok(())
}

/// One line for each parameter that was given under an old name, or does nothing here.
pub(super) fn explain(setup: &Setup<'_>) {
    let given = |name: &&str| setup.parameters.is_given("dialog", name);
    let say = |text: String| setup.log.line(level::NOTICE, "dialog", &text);
    for (old, name) in parameters::OLD_NAMES {
        if given(old) {
            say(format!("parameter {old} is the old name of {name}"));
        }
    }
    for (name, why) in parameters::WITHOUT_MEANING {
        if given(name) {
            say(format!("parameter {name} has no effect: {why}"));
        }
    }
    let asks = |name: &str| {
        let mut places = setup.program.constant_arguments("dlg_set_property", 0);
        places.any(|(_, property)| property.as_bytes() == name.as_bytes())
    };
    let keeps = setup.parameters.int("dialog", "ka_timer") > 0
        && setup.parameters.int("dialog", "ka_interval") > 0;
    if !keeps && (asks("ka-src") || asks("ka-dst")) {
        let text = "ka-src and ka-dst do nothing: ka_timer and ka_interval are not both set";
        setup.log.line(level::WARNING, "dialog", text);
    }
    let has_none = setup.parameters.int("dialog", "db_mode") == 0;
    for function in ["dlg_db_load_callid", "dlg_db_load_extra"] {
        if has_none && setup.program.calls(function) {
            let text = format!("{function} returns -1: calls are not in a database (db_mode is 0)");
            setup.log.line(level::WARNING, "dialog", &text);
        }
    }
}
