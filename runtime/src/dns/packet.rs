//! The part of the DNS wire format that answering for a few names takes. Works on bytes; trusts none of them.
//!
//! # References
//! - [RFC 1035](https://www.rfc-editor.org/rfc/rfc1035), section 4

use std::net::IpAddr;

const HEADER: usize = 12;
const RESPONSE: u8 = 0x80;
const OPCODE: u8 = 0x78;
const RECURSION_DESIRED: u8 = 0x01;
const RECURSION_AVAILABLE: u8 = 0x80;
const CLASS_IN: u16 = 1;
const TYPE_A: u16 = 1;
const TYPE_AAAA: u16 = 28;
const TYPE_ANY: u16 = 255;
const NAME_LENGTH: usize = 253;
/// Services come and go within a session; what a step remembers must not outlive them by much.
const TTL: u32 = 5;
/// Answers that fit a datagram of 512 bytes behind the longest name.
const ANSWERS: usize = 8;

/// Why a query gets no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// The query is malformed.
    Malformed = 1,
    /// Nobody could be asked.
    ServerFailure = 2,
    /// There is no such name.
    NoSuchName = 3,
    /// Not a question.
    NotImplemented = 4,
}

/// A question, as a client asked it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    /// Lower case, without the final dot.
    pub(crate) name: String,
    kind: u16,
    class: u16,
    /// Where the question ends in the packet.
    end: usize,
}

/// Reads the one question of a query.
///
/// `Err(None)` is for packets that must not be answered at all: answering an answer could go on for ever.
pub(crate) fn parse(packet: &[u8]) -> Result<Question, Option<Code>> {
    if packet.len() < HEADER || packet[2] & RESPONSE != 0 {
        return Err(None);
    }
    if packet[2] & OPCODE != 0 {
        return Err(Some(Code::NotImplemented));
    }
    if read_u16(packet, 4) != Some(1) {
        return Err(Some(Code::Malformed));
    }
    read_question(packet).ok_or(Some(Code::Malformed))
}

fn read_question(packet: &[u8]) -> Option<Question> {
    let mut name = String::new();
    let mut at = HEADER;
    loop {
        let length = usize::from(*packet.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        // A question has nothing before it to point at, so a pointer here is an attack or an accident.
        if length > 63 {
            return None;
        }
        let label = packet.get(at..at + length)?;
        at += length;
        if !name.is_empty() {
            name.push('.');
        }
        // Names of services are ASCII; any other byte only has to stay different from them.
        name.extend(
            label
                .iter()
                .map(|byte| char::from(byte.to_ascii_lowercase())),
        );
        if name.chars().count() > NAME_LENGTH {
            return None;
        }
    }
    let kind = read_u16(packet, at)?;
    let class = read_u16(packet, at + 2)?;
    Some(Question {
        name,
        kind,
        class,
        end: at + 4,
    })
}

fn read_u16(packet: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(packet.get(at..at + 2)?.try_into().ok()?))
}

/// Answers with the addresses that fit the question's type; with none if the name has none of that type.
///
/// `packet` must be the one that `question` was read from.
pub(crate) fn answer(packet: &[u8], question: &Question, addresses: &[IpAddr]) -> Vec<u8> {
    let fitting: Vec<&IpAddr> = addresses
        .iter()
        .filter(|ip| question.wants(**ip))
        .take(ANSWERS)
        .collect();
    let mut bytes = reply_head(packet, 0);
    bytes[4..6].copy_from_slice(&1u16.to_be_bytes());
    let count = u16::try_from(fitting.len()).expect("there are at most 8");
    bytes[6..8].copy_from_slice(&count.to_be_bytes());
    bytes.extend_from_slice(&packet[HEADER..question.end]);
    for ip in fitting {
        let (kind, data) = match ip {
            IpAddr::V4(ip) => (TYPE_A, ip.octets().to_vec()),
            IpAddr::V6(ip) => (TYPE_AAAA, ip.octets().to_vec()),
        };
        // The name is the one at the start of the question.
        bytes.extend_from_slice(&[0xc0, HEADER as u8]);
        bytes.extend_from_slice(&kind.to_be_bytes());
        bytes.extend_from_slice(&CLASS_IN.to_be_bytes());
        bytes.extend_from_slice(&TTL.to_be_bytes());
        let length = u16::try_from(data.len()).expect("addresses are short");
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&data);
    }
    bytes
}

/// Answers that there is no answer. `packet` must have a whole header.
pub(crate) fn failure(packet: &[u8], question: Option<&Question>, code: Code) -> Vec<u8> {
    let mut bytes = reply_head(packet, code as u8);
    if let Some(question) = question {
        bytes[4..6].copy_from_slice(&1u16.to_be_bytes());
        bytes.extend_from_slice(&packet[HEADER..question.end]);
    }
    bytes
}

fn reply_head(packet: &[u8], code: u8) -> Vec<u8> {
    let mut bytes = vec![0; HEADER];
    bytes[..2].copy_from_slice(&packet[..2]);
    bytes[2] = RESPONSE | (packet[2] & (OPCODE | RECURSION_DESIRED));
    bytes[3] = RECURSION_AVAILABLE | code;
    bytes
}

impl Question {
    fn wants(&self, ip: IpAddr) -> bool {
        let kind = if ip.is_ipv4() { TYPE_A } else { TYPE_AAAA };
        self.class == CLASS_IN && (self.kind == kind || self.kind == TYPE_ANY)
    }
}

/// Whether `reply` answers `query` and no other question.
pub(crate) fn answers(query: &[u8], question: &Question, reply: &[u8]) -> bool {
    let same_question = || {
        // Servers may leave the question out when they refuse.
        read_u16(reply, 4) == Some(0)
            || read_question(reply).is_some_and(|other| {
                other.name == question.name
                    && other.kind == question.kind
                    && other.class == question.class
            })
    };
    reply.len() >= HEADER && reply[..2] == query[..2] && reply[2] & RESPONSE != 0 && same_question()
}

/// The addresses that a reply gives to the question it repeats, whatever names it goes through.
pub(crate) fn addresses(question: &Question, reply: &[u8]) -> Vec<IpAddr> {
    let count = read_u16(reply, 6).unwrap_or(0);
    let mut at = match read_question(reply) {
        Some(repeated) if read_u16(reply, 4) == Some(1) => repeated.end,
        _ => return Vec::new(),
    };
    let mut found = Vec::new();
    for _ in 0..count {
        let Some((ip, next)) = read_record(reply, at) else {
            break;
        };
        found.extend(ip.filter(|ip| question.wants(*ip)));
        at = next;
    }
    found
}

/// One record: its address if it has one, and where the next begins.
fn read_record(packet: &[u8], mut at: usize) -> Option<(Option<IpAddr>, usize)> {
    loop {
        match *packet.get(at)? {
            0 => {
                at += 1;
                break;
            }
            // A pointer ends a name.
            length if length & 0xc0 == 0xc0 => {
                at += 2;
                break;
            }
            length if length & 0xc0 == 0 => at += 1 + usize::from(length),
            _ => return None,
        }
    }
    let (kind, class) = (read_u16(packet, at)?, read_u16(packet, at + 2)?);
    let length = usize::from(read_u16(packet, at + 8)?);
    let data = packet.get(at + 10..at + 10 + length)?;
    let ip = match (class, kind) {
        (CLASS_IN, TYPE_A) => <[u8; 4]>::try_from(data).ok().map(IpAddr::from),
        (CLASS_IN, TYPE_AAAA) => <[u8; 16]>::try_from(data).ok().map(IpAddr::from),
        _ => None,
    };
    Some((ip, at + 10 + length))
}

/// Whether a reply says that this server cannot help, so that another should be asked.
pub(crate) fn is_server_failure(reply: &[u8]) -> bool {
    const REFUSED: u8 = 5;
    reply.get(3).is_some_and(|flags| {
        let code = flags & 0x0f;
        code == Code::ServerFailure as u8 || code == REFUSED || code == Code::NotImplemented as u8
    })
}

/// Builds a query; the tests' and the fixtures' client.
#[cfg(test)]
pub(crate) fn query(id: u16, name: &str, kind: u16) -> Vec<u8> {
    let mut bytes = id.to_be_bytes().to_vec();
    bytes.extend_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.').filter(|label| !label.is_empty()) {
        bytes.push(u8::try_from(label.len()).expect("labels are short"));
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.push(0);
    bytes.extend_from_slice(&kind.to_be_bytes());
    bytes.extend_from_slice(&CLASS_IN.to_be_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn question_is_read_in_lower_case_without_dot() {
        let packet = query(7, "Data.Base.", TYPE_A);
        let question = parse(&packet).unwrap();
        assert_eq!(question.name, "data.base");
        assert_eq!(question.end, packet.len());
    }

    #[test]
    fn answer_carries_addresses_of_the_type_asked_for() {
        let addresses = ["10.88.0.2".parse().unwrap(), "fd00::2".parse().unwrap()];
        for (kind, last) in [(TYPE_A, &[10, 88, 0, 2][..]), (TYPE_AAAA, &[0, 2][..])] {
            let packet = query(7, "db", kind);
            let reply = answer(&packet, &parse(&packet).unwrap(), &addresses);
            assert_eq!(read_u16(&reply, 6), Some(1));
            assert!(reply.ends_with(last));
            assert!(answers(&packet, &parse(&packet).unwrap(), &reply));
        }
        let packet = query(7, "db", 16);
        let reply = answer(&packet, &parse(&packet).unwrap(), &addresses);
        assert_eq!(
            (read_u16(&reply, 6), reply[3] & 15),
            (Some(0), 0),
            "no data is not an error"
        );
    }

    #[test]
    fn addresses_are_read_back_from_an_answer() {
        let given: Vec<IpAddr> = ["192.0.2.1", "192.0.2.2", "fd00::2"]
            .map(|ip| ip.parse().unwrap())
            .to_vec();
        for (kind, expected) in [(TYPE_A, &given[..2]), (TYPE_AAAA, &given[2..]), (16, &[])] {
            let packet = query(7, "db.test", kind);
            let question = parse(&packet).unwrap();
            let reply = answer(&packet, &question, &given);
            assert_eq!(addresses(&question, &reply), expected);
            for length in 0..reply.len() {
                let read = addresses(&question, &reply[..length]);
                assert!(read.len() <= expected.len());
            }
        }
    }

    #[test]
    fn longest_answer_fits_a_datagram() {
        let name = ["a", "b", "c"].map(|label| label.repeat(63)).join(".") + "." + &"d".repeat(61);
        let packet = query(7, &name, TYPE_AAAA);
        let many = vec!["fd00::2".parse().unwrap(); 100];
        assert!(answer(&packet, &parse(&packet).unwrap(), &many).len() <= 512);
    }

    #[test]
    fn replies_to_other_questions_are_not_taken() {
        let packet = query(7, "db", TYPE_A);
        let question = parse(&packet).unwrap();
        for other in [
            query(8, "db", TYPE_A),
            query(7, "dc", TYPE_A),
            query(7, "db", TYPE_AAAA),
        ] {
            let reply = answer(&other, &parse(&other).unwrap(), &[]);
            assert!(!answers(&packet, &question, &reply));
        }
        assert!(
            !answers(&packet, &question, &packet),
            "a query is not a reply"
        );
    }

    #[test]
    fn replies_are_never_answered() {
        let mut packet = query(7, "db", TYPE_A);
        packet[2] |= RESPONSE;
        assert_eq!(parse(&packet), Err(None));
        assert_eq!(parse(&packet[..11]), Err(None));
    }

    #[test]
    fn pointers_and_overlong_names_are_malformed() {
        let mut pointer = query(7, "db", TYPE_A);
        pointer[HEADER] = 0xc0;
        assert_eq!(parse(&pointer), Err(Some(Code::Malformed)));
        let long = query(7, &vec!["a".repeat(63); 5].join("."), TYPE_A);
        assert_eq!(parse(&long), Err(Some(Code::Malformed)));
    }

    #[test]
    fn no_packet_makes_the_parser_panic() {
        let packet = query(7, "some.name.example", TYPE_A);
        for length in 0..packet.len() {
            assert!(parse(&packet[..length]).is_err(), "{length} bytes");
        }
        // A linear congruential generator is random enough to flip bytes, and repeats itself on every run.
        let mut state = 1u32;
        let mut next = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as usize
        };
        for _ in 0..100_000 {
            let mut mutant = packet.clone();
            for _ in 0..1 + next() % 4 {
                let at = next() % mutant.len();
                mutant[at] = next() as u8;
            }
            mutant.truncate(next() % (mutant.len() + 1));
            let question = read_question(&mutant);
            if let Ok(question) = parse(&mutant) {
                answer(&mutant, &question, &["10.88.0.2".parse().unwrap()]);
                failure(&mutant, Some(&question), Code::ServerFailure);
                answers(&packet, &question, &mutant);
                addresses(&question, &mutant);
            }
            assert!(question.is_none_or(|question| question.end <= mutant.len()));
        }
    }
}
