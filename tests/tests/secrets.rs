//! What the server says of itself, at every level and in every crate, through a whole life of it: no code, no key, no nonce, no
//! name. A program of its own, because there is one listener in a program.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Village, publish};
use sotay_model::meetings::Choice;
use sotay_server::storage::Storage;
use sotay_server::{Rate, Server, ServerConfig, commune, system_clock};
use sotay_tests::phone::Phone;
use sotay_tests::recorder::{listen, said};

/// As somebody might print bytes: hexadecimal, base64 of either alphabet, a list of numbers.
fn forms(secret: &[u8]) -> Vec<String> {
    let alphabet = |last: &str| -> Vec<char> {
        let letters = ('A'..='Z').chain('a'..='z').chain('0'..='9');
        letters.chain(last.chars()).collect()
    };
    let base64 = |last: &str| {
        let alphabet = alphabet(last);
        let whole = secret.chunks_exact(3).flat_map(|chunk| {
            let number = u32::from_be_bytes([0, chunk[0], chunk[1], chunk[2]]);
            [18, 12, 6, 0].map(|shift| alphabet[(number >> shift & 63) as usize])
        });
        whole.collect::<String>()
    };
    let hexadecimal: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let numbers = format!("{secret:?}");
    vec![
        hexadecimal.to_uppercase(),
        hexadecimal,
        base64("+/"),
        base64("-_"),
        numbers.trim_matches(['[', ']']).to_owned(),
    ]
}

#[test]
fn server_never_says_a_code_a_key_a_nonce_or_a_name() {
    let Village {
        server,
        commune,
        folder,
    } = Village::new();
    let (data, address) = (folder.path().join("server"), server.address());
    server.kill().unwrap();
    listen();
    let mut config = ServerConfig::new(&data, address);
    config.limits.rates.invitation = Rate::new(12, 1);
    let running = Server::start(config).unwrap();

    let mut words: Vec<String> = Vec::new();
    let mut bytes: Vec<Vec<u8>> = Vec::new();
    let invitation = |member: &str| {
        sotay_tests::commune::invitation(&data, member, &address.to_string()).unwrap()
    };
    let mut join = |member: &str| {
        let phone = Phone::with_key_file(folder.path(), member).unwrap();
        let invited = invitation(member);
        words.extend([invited.text(), invited.code().text()]);
        sotay_tests::commune::join(phone.handbook(), &data, invited.text(), member).unwrap();
        phone.handbook().sync().unwrap();
        phone
    };
    let (secretary, member) = (join("c1-01"), join("c1-03"));
    let meeting = publish(&secretary, "Một tiêu đề riêng");
    member.handbook().sync().unwrap();
    member
        .handbook()
        .respond(meeting, Choice::WillAttend, 1)
        .unwrap();
    member.handbook().sync().unwrap();

    for member in ["c1-01", "c1-03"] {
        bytes.push(commune.members[member].0.as_bytes().to_vec());
        let key = folder.path().join(member).with_extension("key");
        bytes.push(std::fs::read(key).unwrap());
    }

    // What goes wrong is where texts slip out: a used invitation, an unknown one, too many tries, a revoked phone.
    let late = Phone::new(folder.path(), "late").unwrap();
    let unknown = sotay_tests::commune::unknown_invitation(&address.to_string()).unwrap();
    let used = words[0].clone();
    for text in [used, unknown.text()].iter().cycle().take(30) {
        late.handbook()
            .join(text.clone(), "Máy của ai đó".into())
            .unwrap_err();
    }
    words.extend([unknown.text(), unknown.code().text()]);
    commune::revoke(&data, "c1-03", None, system_clock()).unwrap();
    drop(member.handbook().sync());

    // And what the operator does beside it.
    let identity = folder.path().join("identity.txt");
    let recipient = commune::make_identity(&identity).unwrap();
    let backup = folder.path().join("backup.age");
    commune::back_up(&data, &backup, &[recipient], system_clock()).unwrap();
    let text = std::fs::read_to_string(&identity).unwrap();
    words.extend(
        text.lines()
            .map(|line| line.trim_start_matches("# public key: ").to_owned()),
    );
    commune::checkpoint_audit(&data, system_clock()).unwrap();
    commune::rotate(&data, None, system_clock()).unwrap();
    running.reload().unwrap();
    secretary.handbook().sync().unwrap();
    running.shutdown();
    commune::restore(&data, &backup, &identity, system_clock()).unwrap();

    for entry in std::fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "key") {
            let pem = std::fs::read_to_string(path).unwrap();
            words.extend(
                pem.lines()
                    .filter(|line| !line.starts_with('-'))
                    .map(str::to_owned),
            );
        }
    }
    let mut storage = Storage::open(&data.join(commune::DATABASE)).unwrap();
    let transaction = storage.read().unwrap();
    bytes.push(transaction.meta("nonce secret").unwrap().unwrap());
    drop(transaction);
    words.extend(["riêng", "Đồng chí", "Máy của ai đó", "Nhà văn hóa"].map(str::to_owned));
    words.extend(bytes.iter().flat_map(|secret| forms(secret)));
    words.extend(["sotay-nonce", "signature-input", "keyid"].map(str::to_owned));

    let said = said();
    for from in [
        "sotay_server::http",
        "a request answered",
        "a phone waits for an officer",
    ] {
        assert!(said.contains(from), "{from} is not there:\n{said}");
    }
    assert!(words.len() > 40);
    for word in words.iter().filter(|word| word.len() >= 6) {
        let line = said.lines().find(|line| line.contains(word.as_str()));
        assert_eq!(line, None, "{word}");
    }
}
