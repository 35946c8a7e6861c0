//! One operation that is not among the most frequent ones. Everything that is not a line or two long is a method of
//! its own.

use super::Machine;
use super::operate::{self, Doubt};
use crate::ast::{BinaryOp, Network, UnaryOp};
use crate::ere::Flags;
use crate::host::Host;
use crate::program::{Arms, Op, Program, TextArm};
use crate::value::Value;

impl<P> Machine<P> {
    /// Does one operation; the place to go on and the state are the machine's own.
    #[inline(never)]
    pub(super) fn step<H: Host<Pending = P>>(&mut self, program: &Program, host: &mut H, op: &Op) {
        match *op {
            Op::Constant(number) => self.push_constant(program, number),
            Op::Unary(op) => self.unary(program, host, op),
            Op::Truth => self.replace(program, host, |value, doubt| {
                (operate::int(value, doubt) != 0).into()
            }),
            Op::Undefined => self.replace(program, host, |value, _| value.is_null().into()),
            Op::Binary(op) => self.binary(program, host, op),
            Op::Divide { modulo, fail } => self.divide(program, host, modulo, fail),
            Op::Match(regex) => self.match_constant(program, regex),
            Op::MatchDynamic => self.match_dynamic(program, host),
            Op::Myself { operand, negate } => {
                let own = host.is_myself(operand);
                self.values.push((own != negate).into());
            }
            Op::InNetwork { network, negate } => self.in_network(program, network, negate),
            Op::InNetworkDynamic { negate } => self.in_network_dynamic(program, host, negate),
            Op::SameText { negate } => self.same_text(negate),
            Op::ProtoString => {
                self.complain(program, host, -1, "`proto` is compared with a string");
                self.values.push(Value::Int(0));
            }
            Op::Pop => drop(self.values.pop()),
            Op::Unless(to) => {
                if self.pop_int(program, host) <= 0 {
                    self.code = 1;
                    self.pc = to;
                }
            }
            Op::IfZero(to) => {
                if self.pop_int(program, host) == 0 {
                    self.pc = to;
                }
            }
            Op::IfNonZero(to) => {
                if self.pop_int(program, host) != 0 {
                    self.pc = to;
                }
            }
            Op::IfFalse(to) => {
                if self.pop_int(program, host) <= 0 {
                    self.pc = to;
                }
            }
            Op::Switch(table) => self.switch(program, host, table),
            Op::LoopStart => {
                self.code = 1;
                self.loops.push(0);
            }
            Op::LoopRound(out) => self.round(program, host, out),
            Op::LoopEnd => drop(self.loops.pop()),
            Op::SetTruth(target) => self.set_truth(program, host, target),
            Op::RouteNamed(how) => self.route_named(program, host, how),
            Op::Return => {
                let code = self.pop_int(program, host);
                self.return_code(program, host, code);
            }
            Op::ReturnCode(code) => self.return_code(program, host, code),
            Op::Stop { drop } => {
                let code = self.pop_int(program, host);
                self.stop(program, host, code, drop);
            }
            Op::BreakBlock => {
                self.code = 0;
                self.leave(program, host);
            }
            Op::Read(variable) => self.read(program, host, variable),
            Op::Int(number) => self.values.push(Value::Int(number)),
            Op::Set(target) => {
                let value = self.values.pop().unwrap_or_default();
                self.set(program, host, target, value);
            }
            Op::SetConstant { target, constant } => {
                self.set_constant(program, host, target, constant);
            }
            Op::SetRead { target, source } => self.set_read(program, host, target, source),
            Op::SetBinary {
                op,
                target,
                source,
                constant,
            } => self.set_binary(program, host, op, [target, source, constant]),
            Op::Code(code) => self.code = code,
            Op::Foreign => self.foreign(program, host),
            // `execute` does these itself.
            Op::UnlessSlot { .. }
            | Op::SetSlotInt { .. }
            | Op::SetSlot { .. }
            | Op::CopySlot { .. }
            | Op::AddSlot { .. }
            | Op::UnlessTest { .. }
            | Op::UnlessText { .. }
            | Op::Jump(_)
            | Op::Call { .. }
            | Op::Route { .. }
            | Op::End => self.end(true, false),
        }
    }

    fn push_constant(&mut self, program: &Program, number: u32) {
        let value = program.constants.get(number as usize).cloned();
        self.values.push(value.unwrap_or_default());
    }

    fn pop_int<H: Host<Pending = P>>(&mut self, program: &Program, host: &mut H) -> i64 {
        match self.values.pop() {
            Some(Value::Int(number)) => number,
            Some(other) => {
                let mut doubt = Doubt::default();
                let number = operate::int(&other, &mut doubt);
                self.tell_doubt(program, host, &doubt, &[&other]);
                number
            }
            None => 0,
        }
    }

    #[inline]
    pub(super) fn tell_doubt<H: Host<Pending = P>>(
        &self,
        program: &Program,
        host: &mut H,
        doubt: &Doubt,
        values: &[&Value],
    ) {
        if doubt.0 {
            self.tell_conversion(program, host, values);
        }
    }

    #[cold]
    pub(super) fn tell_conversion<H: Host<Pending = P>>(
        &self,
        program: &Program,
        host: &mut H,
        values: &[&Value],
    ) {
        let wrong = values.iter().find(|value| value.to_int().is_none());
        if let Some(value) = wrong {
            self.complain(
                program,
                host,
                0,
                &format!("{value:?} is no number; 0 is used"),
            );
        }
    }

    fn replace<H: Host<Pending = P>>(
        &mut self,
        program: &Program,
        host: &mut H,
        make: impl FnOnce(&Value, &mut Doubt) -> Value,
    ) {
        let value = self.values.pop().unwrap_or_default();
        let mut doubt = Doubt::default();
        self.values.push(make(&value, &mut doubt));
        self.tell_doubt(program, host, &doubt, &[&value]);
    }

    fn unary<H: Host<Pending = P>>(&mut self, program: &Program, host: &mut H, op: UnaryOp) {
        self.replace(program, host, |value, doubt| {
            operate::unary(op, value, doubt)
        });
    }

    fn pop_two(&mut self) -> (Value, Value) {
        let right = self.values.pop().unwrap_or_default();
        let left = self.values.pop().unwrap_or_default();
        (left, right)
    }

    fn binary<H: Host<Pending = P>>(&mut self, program: &Program, host: &mut H, op: BinaryOp) {
        if let [.., Value::Int(left), Value::Int(right)] = self.values.as_mut_slice()
            && op == BinaryOp::Add
        {
            *left = left.wrapping_add(*right);
            self.values.pop();
            return;
        }
        let (left, right) = self.pop_two();
        let mut doubt = Doubt::default();
        self.values
            .push(operate::binary(op, &left, &right, &mut doubt));
        self.tell_doubt(program, host, &doubt, &[&left, &right]);
    }

    fn divide<H: Host<Pending = P>>(
        &mut self,
        program: &Program,
        host: &mut H,
        modulo: bool,
        fail: u32,
    ) {
        let (left, right) = self.pop_two();
        let mut doubt = Doubt::default();
        let result = operate::divide(modulo, &left, &right, &mut doubt);
        self.tell_doubt(program, host, &doubt, &[&left, &right]);
        match result {
            Some(number) => self.values.push(Value::Int(number)),
            None => {
                self.complain(
                    program,
                    host,
                    -1,
                    "division by 0; the statement is given up",
                );
                let height = self.frames.last().map_or(0, |frame| frame.values as usize);
                self.values.truncate(height);
                self.code = -1;
                self.pc = fail;
            }
        }
    }

    fn match_constant(&mut self, program: &Program, regex: u32) {
        let text = self.values.pop().unwrap_or_default();
        let found = program
            .regexes
            .get(regex as usize)
            .is_some_and(|ere| text.with_bytes(|text| ere.is_match(text)));
        self.values.push(found.into());
    }

    fn match_dynamic<H: Host<Pending = P>>(&mut self, program: &Program, host: &mut H) {
        let (text, pattern) = self.pop_two();
        let found = match self.patterns.get(&pattern.to_str(), Flags::OPERATOR) {
            Ok(ere) => text.with_bytes(|text| ere.is_match(text)),
            Err(error) => {
                let text = format!("bad regular expression {pattern:?}: {error}");
                self.complain(program, host, -1, &text);
                false
            }
        };
        self.values.push(found.into());
    }

    fn in_network(&mut self, program: &Program, network: u32, negate: bool) {
        let address = self.values.pop().unwrap_or_default();
        let network = program.networks.get(network as usize);
        let inside = network.is_some_and(|network| contains(network, &address));
        self.values.push((inside != negate).into());
    }

    fn in_network_dynamic<H: Host<Pending = P>>(
        &mut self,
        program: &Program,
        host: &mut H,
        negate: bool,
    ) {
        let (address, network) = self.pop_two();
        let parsed = network.with_bytes(|text| Network::parse(&String::from_utf8_lossy(text)));
        if parsed.is_none() {
            let text = format!("{network:?} is neither an address nor a net");
            self.complain(program, host, -1, &text);
        }
        let inside = parsed.is_some_and(|network| contains(&network, &address));
        self.values.push((inside != negate).into());
    }

    fn same_text(&mut self, negate: bool) {
        let (left, right) = self.pop_two();
        self.values
            .push((operate::same_text(&left, &right) != negate).into());
    }

    fn switch<H: Host<Pending = P>>(&mut self, program: &Program, host: &mut H, table: u32) {
        // What Kamailio leaves behind when no label fits and the switch is the last statement.
        self.code = -5;
        let value = self.values.pop().unwrap_or_default();
        let Some(table) = program.switches.get(table as usize) else {
            return self.end(true, false);
        };
        let found = match &table.arms {
            Arms::Ints(arms) => {
                let mut doubt = Doubt::default();
                let number = operate::int(&value, &mut doubt);
                self.tell_doubt(program, host, &doubt, &[&value]);
                let at = arms.binary_search_by_key(&number, |arm| arm.0);
                at.ok()
                    .filter(|_| !doubt.0)
                    .and_then(|at| arms.get(at))
                    .map(|arm| arm.1)
            }
            Arms::Texts(arms) => value.with_bytes(|text| {
                let mut arms = arms.iter();
                let hit = arms.find(|(arm, _)| match arm {
                    TextArm::Text(label) => label.as_bytes() == text,
                    TextArm::Regex(ere) => ere.is_match(text),
                });
                hit.map(|arm| arm.1)
            }),
        };
        self.pc = found.unwrap_or(table.default);
    }

    fn round<H: Host<Pending = P>>(&mut self, program: &Program, host: &mut H, out: u32) {
        if !self.count(program, host) {
            return;
        }
        let limit = self.limits.loops;
        let Some(rounds) = self.loops.last_mut() else {
            return self.end(true, false);
        };
        *rounds += 1;
        if *rounds > limit {
            let text = format!("the loop is left after {limit} rounds (max_while_loops)");
            self.complain(program, host, -1, &text);
            self.code = -1;
            self.pc = out;
        }
    }

    fn return_code<H: Host<Pending = P>>(&mut self, program: &Program, host: &mut H, code: i64) {
        if code == 0 {
            return self.stop(program, host, 0, false);
        }
        self.code = code;
        self.leave(program, host);
    }
}

/// Whether an address, given as text, lies in a net.
fn contains(network: &Network, address: &Value) -> bool {
    let parsed = address.with_bytes(|text| std::str::from_utf8(text).ok()?.parse().ok());
    parsed.is_some_and(|address| network.contains(address))
}
