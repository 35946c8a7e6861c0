//! Comparisons of the values that have keywords: `method`, `uri`, `src_ip`, `proto` …

use super::Compiler;
use super::fold::constant;
use crate::ast::{BinaryOp, Expr, ExprKind, Network, Operand};
use crate::diagnostic::Diagnostic;
use crate::program::{Op, Test};
use crate::value::Value;

/// The name by which the catalog knows an operand.
pub(super) const fn name(operand: Operand) -> &'static str {
    match operand {
        Operand::Method => "@method",
        Operand::Uri => "@uri",
        Operand::FromUri => "@from_uri",
        Operand::ToUri => "@to_uri",
        Operand::Status => "@status",
        Operand::SrcIp => "@src_ip",
        Operand::DstIp => "@dst_ip",
        Operand::SrcPort => "@src_port",
        Operand::DstPort => "@dst_port",
        Operand::Proto => "@proto",
        Operand::Af => "@af",
        Operand::MsgLen => "@msg_len",
        Operand::SndIp => "@snd_ip",
        Operand::SndPort => "@snd_port",
        Operand::SndProto => "@snd_proto",
        Operand::SndAf => "@snd_af",
        Operand::ToIp => "@to_ip",
        Operand::ToPort => "@to_port",
    }
}

/// How an operand is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// As text, in any case.
    Text,
    Address,
    Protocol,
    /// Like any number.
    Number,
}

const fn class(operand: Operand) -> Class {
    match operand {
        Operand::Method | Operand::Uri | Operand::FromUri | Operand::ToUri | Operand::Status => {
            Class::Text
        }
        Operand::SrcIp | Operand::DstIp | Operand::SndIp | Operand::ToIp => Class::Address,
        Operand::Proto | Operand::SndProto => Class::Protocol,
        Operand::SrcPort
        | Operand::DstPort
        | Operand::SndPort
        | Operand::ToPort
        | Operand::Af
        | Operand::SndAf
        | Operand::MsgLen => Class::Number,
    }
}

/// The test by which a comparison of this operand with a constant is one operation.
pub(super) fn fused_test(operand: Operand, test: Test) -> Option<Test> {
    match (class(operand), test) {
        (Class::Text, Test::Equal) => Some(Test::SameText),
        (Class::Text, Test::NotEqual) => Some(Test::OtherText),
        (Class::Number, test) => Some(test),
        _ => None,
    }
}

impl Compiler<'_> {
    /// Emits a comparison that has an operand on its left (or `myself == operand`); false if this is none.
    pub(super) fn operand_comparison(&mut self, op: BinaryOp, left: &Expr, right: &Expr) -> bool {
        let (left, right) = match (&left.kind, &right.kind) {
            (ExprKind::Myself, ExprKind::Operand(_)) => (right, left),
            _ => (left, right),
        };
        let ExprKind::Operand(operand) = left.kind else {
            return false;
        };
        let negate = match op {
            BinaryOp::Equal => false,
            BinaryOp::NotEqual => true,
            _ => return false,
        };
        if matches!(right.kind, ExprKind::Myself) {
            self.myself(operand, left, negate);
            return true;
        }
        match class(operand) {
            Class::Number => return false,
            Class::Text => {
                self.expression(left);
                self.expression(right);
                self.emit(Op::SameText { negate });
            }
            Class::Address => self.address(left, right, negate),
            Class::Protocol => self.protocol(left, right, negate),
        }
        true
    }

    fn myself(&mut self, operand: Operand, left: &Expr, negate: bool) {
        if !matches!(class(operand), Class::Text | Class::Address)
            || matches!(operand, Operand::Method | Operand::Status)
        {
            return self.error(left.span, "this cannot be compared with `myself`");
        }
        let number = self.readable(left);
        let variable = self.program.variables.get(number as usize);
        if let Some((operand, _)) = variable.and_then(|variable| variable.fixed()) {
            self.emit(Op::Myself { operand, negate });
        }
    }

    fn address(&mut self, left: &Expr, right: &Expr, negate: bool) {
        let network = match (&right.kind, constant(right)) {
            (ExprKind::Network(network), _) => Some(*network),
            (_, Some(text)) => {
                let text = text.to_str();
                let parsed = Network::parse(&String::from_utf8_lossy(&text));
                if parsed.is_none() {
                    let message = "an address or a net is needed here";
                    let help = "host names are not looked up; write `10.0.0.1` or `\"10.0.0.0/8\"`";
                    self.diagnostics
                        .push(Diagnostic::error(right.span, message).help(help));
                    return;
                }
                parsed
            }
            _ => None,
        };
        self.expression(left);
        match network {
            Some(network) => {
                self.program.networks.push(network);
                let network = self.program.networks.len() as u32 - 1;
                self.emit(Op::InNetwork { network, negate });
            }
            None => {
                self.expression(right);
                self.emit(Op::InNetworkDynamic { negate });
            }
        }
    }

    fn protocol(&mut self, left: &Expr, right: &Expr, negate: bool) {
        match &right.kind {
            ExprKind::Protocol(protocol) => {
                self.expression(left);
                self.push(protocol.name().into());
                self.emit(Op::SameText { negate });
            }
            // A string never matches, as in Kamailio.
            _ if constant(right).is_some_and(|value| matches!(value, Value::Str(_))) => {
                self.emit(Op::ProtoString);
            }
            _ => {
                self.expression(left);
                self.expression(right);
                self.emit(Op::SameText { negate });
            }
        }
    }
}
