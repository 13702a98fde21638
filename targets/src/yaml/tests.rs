//! How values look. What the readers make of them is tested in `tests/yaml_readers`.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Error, Sourced, write_document};

fn yaml(value: &(impl Serialize + ?Sized)) -> String {
    let mut out = String::new();
    write_document(&mut out, value).unwrap();
    out
}

/// What readers take for something else when it is plain. One line, one text.
const QUOTED: &str = r#"on
Off
yes
NO
y
N
true
False
null
~
NULL
<<
=
0
-1
+12
007
08
1_000
-_1
0x1f
0X1F
0b01
0o17
0b+1
0x_
1e3
1E+3
1.
1.5
.5
-.5e-3
._
.inf
-.Inf
.NAN
1:30
-1:30:00.5
0:0
2020-01-01
2020-1-1
2020-01-01T10:00:00Z
2020-01-01 10:00
-
- a
?
? a
:
: a
*
*.example.com
&a
!a
|
>-
%a
@a
`a
"a
'a
{a
[a
,a
#a
---
--- a
...
a: b
a:
a #b"#;

/// What everybody reads as text. One line, one text.
const PLAIN: &str = r"a
On1
oN
nO
yE
nUll
~/a
==
<a
-a
--
-1a
+
+a
.
..
.a
.infinity
0x
0xg
0b2
0o8
1a
1e
1e+
10.0.0.1
10.0.0.0/8
1.2.3
5s
1.5s
1_a
10:60
1:2:
:80
?a
a?
8080-tcp
2020-01
2020-01-01-a
20200-01-01
reviews.bookinfo.svc.cluster.local:9080
https://example.com/a#b?c=d&e={f}
^/v[0-9]+/.*\d$
a, b
a  b
a:b
a#b
C:\dir
it's
a&b*c!d%e@f`g|h>i
übergröße
日本語
🙂
-🙂";

#[test]
fn text_is_quoted_where_a_reader_would_err() {
    for text in QUOTED.lines().filter(|text| *text != "1:2:").chain(["", " ", " a", "a ", "1:2:"]) {
        let quoted = format!("\"{}\"", text.replace('"', "\\\""));
        assert_eq!(yaml(text), format!("{quoted}\n"));
        assert_eq!(yaml(&BTreeMap::from([(text, text)])), format!("{quoted}: {quoted}\n"));
    }
}

#[test]
fn text_is_plain_where_every_reader_takes_it() {
    for text in PLAIN.lines().filter(|text| *text != "1:2:") {
        assert_eq!(yaml(text), format!("{text}\n"));
        assert_eq!(yaml(&BTreeMap::from([(text, text)])), format!("{text}: {text}\n"));
    }
}

#[test]
fn control_characters_are_escaped() {
    let table = [
        ("a\nb", r#""a\nb""#),
        ("\t", r#""\t""#),
        ("a\rb\"c\\d\n", r#""a\rb\"c\\d\n""#),
        ("\0\x07\x1b\x7f", r#""\x00\x07\x1B\x7F""#),
        ("a\u{85}b\u{9f}c", r#""a\x85b\x9Fc""#),
        ("\u{2028}é\u{2029}", r#""\u2028é\u2029""#),
        ("\u{feff}a", r#""\uFEFFa""#),
        ("\u{fffe}\u{ffff}🙂", r#""\uFFFE\uFFFF🙂""#),
        ("\u{a0}", "\u{a0}"),
    ];
    for (text, expected) in table {
        assert_eq!(yaml(text), format!("{expected}\n"));
    }
}

#[test]
fn numbers_read_back_as_the_same_number() {
    let table = [
        (50.0, "50"),
        (0.1, "0.1"),
        (-2.5, "-2.5"),
        (0.0, "0"),
        (-0.0, "-0.0"),
        (33.333_333_333_333_336, "33.333333333333336"),
        (0.000_01, "0.00001"),
        (0.000_001, "1.0e-6"),
        (1.5e-7, "1.5e-7"),
        (9_007_199_254_740_991.0, "9007199254740991"),
        (9_007_199_254_740_992.0, "9.007199254740992e+15"),
        (1e300, "1.0e+300"),
        (-f64::MAX, "-1.7976931348623157e+308"),
        (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
        (f64::INFINITY, ".inf"),
        (f64::NEG_INFINITY, "-.inf"),
    ];
    for (number, expected) in table {
        assert_eq!(yaml(&number), format!("{expected}\n"));
        let again: f64 = serde_yaml::from_str(expected).unwrap();
        assert_eq!(again.to_bits(), if number == 0.0 { again.to_bits() } else { number.to_bits() });
    }
    assert_eq!(yaml(&f64::NAN), ".nan\n");
    assert_eq!(yaml(&0.1_f32), "0.1\n");
    assert_eq!(
        yaml(&(u64::MAX, i64::MIN, 0, -7_i8)),
        "- 18446744073709551615\n- -9223372036854775808\n- 0\n- -7\n"
    );
    assert_eq!(yaml(&(u128::MAX, i128::MIN)), format!("- {}\n- {}\n", u128::MAX, i128::MIN));
}

#[test]
fn collections_nest_as_kubectl_writes_them() {
    let value = json!({
        "a": {"b": [1, [2, [3, {"c": 4, "d": [5]}], []], {}, {"e": {}}], "f": []},
        "g": [[[]], [{"h": [{"i": null, "j": true}, 0.5]}]],
    });
    let expected = "\
a:
  b:
  - 1
  - - 2
    - - 3
      - c: 4
        d:
        - 5
    - []
  - {}
  - e: {}
  f: []
g:
- - []
- - h:
    - i: null
      j: true
    - 0.5
";
    assert_eq!(yaml(&value), expected);
    assert_eq!(serde_yaml::from_str::<serde_json::Value>(expected).unwrap(), value);
    assert_eq!(
        (yaml(&json!({})), yaml(&json!([])), yaml(&json!(null))),
        ("{}\n".into(), "[]\n".into(), "null\n".into())
    );
}

#[derive(Serialize)]
enum Any {
    Unit,
    Newtype(u8),
    Tuple(u8, u8),
    Struct { a: u8 },
    Empty {},
}

#[derive(Serialize)]
struct Unit;

#[derive(Serialize)]
struct Newtype(char);

#[test]
fn every_serde_shape_has_a_form() {
    let any = [Any::Unit, Any::Newtype(1), Any::Tuple(2, 3), Any::Struct { a: 4 }, Any::Empty {}];
    assert_eq!(
        yaml(&any),
        "- Unit\n- Newtype: 1\n- Tuple:\n  - 2\n  - 3\n- Struct:\n    a: 4\n- Empty: {}\n"
    );
    assert_eq!(yaml(&(Unit, Newtype('n'), Some('x'))), "- null\n- \"n\"\n- x\n");
    assert_eq!(yaml(&BTreeMap::from([(Some(1), ()), (None, ())])), "null: null\n1: null\n");
    assert_eq!(yaml(&BTreeMap::from([(true, 'a')])), "true: a\n");
}

#[test]
fn values_without_types_are_written_too() {
    let text = "a:\n- 1\n- \"1\"\n- b: null\n  c: {}\n1: x\n";
    let value: serde_yaml::Value = serde_yaml::from_str(text).unwrap();
    assert_eq!(yaml(&value), text);
}

#[test]
fn long_keys_are_explicit() {
    let key = "k".repeat(2_000);
    let value = json!({"a": [{&key: {"b": 1}}], &key: [2]});
    let text = yaml(&value);
    assert_eq!(text, format!("a:\n- ? {key}\n  :\n    b: 1\n? {key}\n:\n- 2\n"));
    assert_eq!(serde_yaml::from_str::<serde_json::Value>(&text).unwrap(), value);
}

#[test]
fn documents_follow_each_other() {
    let mut out = "# head".to_owned();
    write_document(&mut out, "a").unwrap();
    out.push_str("---\n");
    write_document(&mut out, &[1]).unwrap();
    assert_eq!(out, "# head\na\n---\n- 1\n");
}

#[test]
fn what_yaml_has_no_form_for_is_an_error_and_leaves_no_trace() {
    struct Bytes;
    impl Serialize for Bytes {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(b"a")
        }
    }
    struct Refusal;
    impl Serialize for Refusal {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no"))
        }
    }
    let mut out = "before".to_owned();
    assert_eq!(write_document(&mut out, &BTreeMap::from([([1], 2)])), Err(Error::CollectionAsKey));
    assert_eq!(write_document(&mut out, &(1, Bytes)), Err(Error::Bytes));
    assert_eq!(write_document(&mut out, &(1, Refusal)), Err(Error::Custom("no".into())));
    assert_eq!(out, "before");
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Commented {
    entry: Sourced<u8>,
    list: Vec<Sourced<BTreeMap<String, Sourced<Vec<u8>>>>>,
    nothing: Option<Box<Sourced<String>>>,
}

#[test]
fn comments_stand_above_the_line_of_their_value() {
    let inner = BTreeMap::from([
        ("a".to_owned(), Sourced::new("first entry", vec![1])),
        ("b".to_owned(), Sourced::new("second entry", vec![])),
        ("c".to_owned(), vec![2].into()),
    ]);
    let value = Commented {
        entry: Sourced::new("entry", 7),
        list: vec![
            Sourced::new("element", inner),
            BTreeMap::new().into(),
            Sourced::new("empty", BTreeMap::new()),
        ],
        nothing: Some(Box::new(Sourced::new("boxed", "no".to_owned()))),
    };
    let expected = "\
# head
# below it
# entry
entry: 7
list:
# element
# first entry
- a:
  - 1
  # second entry
  b: []
  c:
  - 2
- {}
# empty
- {}
# boxed
nothing: \"no\"
";
    let text = yaml(&Sourced::new("head", Sourced::new("below it", value.clone())));
    assert_eq!(text, expected);
    assert_eq!(serde_yaml::from_str::<Commented>(&text).unwrap(), value, "comments are no part of the value");
    assert_eq!(yaml(&vec![Sourced::new("c", vec![Sourced::new("d", 1)])]), "# c\n# d\n- - 1\n");
}

#[test]
fn other_formats_see_the_bare_value() {
    let value = vec![Sourced::new("c", 1), 2.into()];
    assert_eq!(serde_json::to_string(&value).unwrap(), "[1,2]");
    assert_eq!(serde_yaml::to_string(&value).unwrap(), "- 1\n- 2\n");
    let read: Vec<Sourced<u8>> = serde_json::from_str("[1,2]").unwrap();
    assert_eq!(read, value);
    assert_eq!(read.first().and_then(|first| first.comment.clone()), None);
}

#[test]
fn comments_stay_on_their_line() {
    for text in
        ["a\nevil: 1", "a\r\nevil: 1", "a\u{85}evil: 1", "a\u{2028}\u{2029}\0evil: 1", "\n\na\n\t evil: 1\n"]
    {
        let written = yaml(&Sourced::new(text, vec![1]));
        assert!(written == "# a evil: 1\n- 1\n", "{written}");
    }
    assert_eq!(yaml(&Sourced::new("", 1)), "#\n1\n");
    assert_eq!(yaml(&Sourced::new("# übung: 🙂", 1)), "# # übung: 🙂\n1\n");
}
