//! Handlers as plug-ins write them, run by valor::test.
use std::cell::Cell;
use std::rc::Rc;

use valor::test::{self, Ask, Setup};
use valor::*;

// Each plug-in is a crate of its own; here each is a module, and only one of them may export the symbols.
mod plain {
    use valor::*;

    #[vlugin]
    async fn my_handler(_req: Request) -> Response {
        "OK response from a plugin".into()
    }

    pub fn start() -> test::Instance {
        test::start::<my_handler>()
    }
}

/// What #[vlugin] does without the exports.
macro_rules! plugin {
    ($name:ident, $handle:expr) => {
        plugin!($name, $handle, |_| None);
    };
    ($name:ident, $handle:expr, $create:expr) => {
        enum $name {}
        impl valor::__private::Plugin for $name {
            fn create(context: Context) -> Option<valor::__private::Creation> {
                let create: fn(Context) -> Option<valor::__private::Creation> = $create;
                create(context)
            }
            fn handle(request: Request, context: Context) -> valor::__private::Answer {
                valor::__private::Answer::Later(Box::pin(async move { $handle(request, context).await.into() }))
            }
        }
    };
}

#[test]
fn the_shortest_plugin_answers() {
    let answer = plain::start().get("any/path?x=1");
    assert_eq!((answer.status(), answer.text().as_str()), (200, "OK response from a plugin"));
    assert_eq!(answer.header("content-type"), Some("text/plain;charset=UTF-8"));
}

async fn describe(mut request: Request, _: Context) -> Result<Response, Error> {
    let length = request.body().length();
    let body = request.body().text_up_to(10).await?;
    let text = format!(
        "{} {} {} {} {:?} {:?} {length:?} {body}",
        request.method(),
        request.url(),
        request.path(),
        request.id(),
        request.query("a"),
        request.headers().get_all("x").map(String::from_utf8_lossy).collect::<Vec<_>>(),
    );
    Ok(Response::new(201).header("X-One", "1").header("x-one", "2").body(text))
}
plugin!(Describe, describe);

#[test]
fn a_request_has_all_its_parts() {
    let mut plugin = test::start::<Describe>();
    let ask =
        Ask::new("PUT", "p/q?b&a=1%202").header("X", "1").header("x-request-id", "id").header("x", "2").body("hi");
    let answer = plugin.ask(ask);
    assert_eq!(answer.text(), "PUT p/q?b&a=1%202 p/q id Some(\"1 2\") [\"1\", \"2\"] Some(2) hi");
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.headers().get_all("x-one").collect::<Vec<_>>(), [b"1", b"2"]);
}

#[test]
fn bodies_have_limits() {
    let mut plugin = test::start::<Describe>();
    assert_eq!(plugin.ask(Ask::post("").pieces(["12345", "67890"])).status(), 201);
    let answer = plugin.ask(Ask::post("").pieces(["12345", "678901"]));
    assert_eq!((answer.status(), answer.text().as_str()), (413, "the body is over 10 bytes"));
    assert_eq!(plugin.ask(Ask::post("").body("12345678901")).status(), 413, "by its declared length");
    assert_eq!(plugin.ask(Ask::post("").body(&[0xff])).status(), 400);
    let answer = plugin.ask(Ask::post("").pieces(["12"]).breaks_off());
    assert_eq!(answer.status(), 500);
    assert_eq!(answer.failure(), Some("the body broke off: the other side has left"));
}

async fn results(request: Request, _: Context) -> Result<Response, Error> {
    match request.path() {
        "status" => return Err(Error::new(409, "taken")),
        "parse" => drop("x".parse::<u32>()?),
        "boxed" => {
            fn other() -> Result<(), Box<dyn std::error::Error>> {
                Err(Error::new(418, "teapot").into())
            }
            other().map_err(|error| Error::fail(&error))?
        }
        "header" => return Ok(Response::from("x").header("bad", "a\nb")),
        "bad-status" => return Ok(999.into()),
        "panic" => panic!("on purpose, {}", 1),
        "abort" => abort("given up"),
        "tuple" => return Ok((404, "nothing").into()),
        "bytes" => return Ok(vec![0, 255].into()),
        _ => {}
    }
    Ok(204.into())
}
plugin!(Results, results);

#[test]
fn results_become_answers() {
    let mut plugin = test::start::<Results>();
    let mut ask = |url: &str| {
        let answer = plugin.get(url);
        (answer.status(), String::from_utf8(answer.bytes()).unwrap_or_default(), answer.failure().map(String::from))
    };
    assert_eq!(ask("status"), (409, "taken".into(), None));
    assert_eq!(ask("parse"), (500, "".into(), Some("invalid digit found in string".into())));
    assert_eq!(ask("boxed"), (500, "".into(), Some("teapot".into())));
    assert_eq!(ask("header").0, 500);
    assert_eq!(ask("bad-status").0, 500);
    assert_eq!(ask("tuple"), (404, "nothing".into(), None));
    assert_eq!(ask("").0, 204);
    let (status, body, failure) = ask("panic");
    assert_eq!((status, body.as_str()), (500, ""));
    let failure = failure.unwrap();
    assert!(failure.starts_with("panicked: on purpose, 1 (") && failure.contains("handlers.rs:"), "{failure}");
    assert_eq!(ask("tuple").0, 404, "the instance lives on after a panic");
    assert_eq!(plugin.get("bytes").header("content-type"), None);
}

#[test]
fn abort_ends_the_instance() {
    let mut plugin = test::start::<Results>();
    let answer = plugin.get("abort");
    assert_eq!((answer.status(), answer.failure()), (502, Some("given up")));
}

struct Guard(Rc<Cell<u32>>);
impl Drop for Guard {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

async fn streams(request: Request, context: Context) -> Result<Response, Error> {
    let dropped = context.state::<Rc<Cell<u32>>>();
    match request.path() {
        "echo" => Ok(Response::stream(|mut writer| async move {
            let mut body = request.into_body();
            while let Some(piece) = body.chunk().await? {
                writer.write(piece).await?;
            }
            Ok(())
        })),
        "endless" => {
            let guard = Guard(Rc::clone(&dropped));
            Ok(Response::stream(|mut writer| async move {
                let _guard = guard;
                loop {
                    writer.write("tick ").await?;
                    sleep(Duration::from_secs(1)).await;
                }
            }))
        }
        "fails" => Ok(Response::stream(|mut writer| async move {
            writer.write("some").await?;
            Err(Error::fail("half-way"))
        })),
        "head-first" => {
            let mut writer = Response::new(202).header("x-early", "yes").start(&request)?;
            writer.write("a").await?;
            writer.write("").await?;
            writer.write("b").await?;
            Ok(writer.end())
        }
        "twice" => {
            let _writer = Response::new(200).start(&request)?;
            Ok("second".into())
        }
        _ => Ok(dropped.get().to_string().into()),
    }
}
fn keep_count(context: Context) {
    context.set_state(Rc::new(Cell::new(0u32)));
}
plugin!(Streams, streams, |context| Some(valor::__private::begin(keep_count, context)));

#[test]
fn bodies_stream_both_ways() {
    let mut plugin = test::start::<Streams>();
    for ask in [Ask::post("echo"), Ask::post("echo").slow()] {
        let answer = plugin.ask(ask.pieces(["one", "two", "three"]));
        assert_eq!(answer.pieces(), ["one", "two", "three"].map(|piece| piece.as_bytes().to_vec()));
    }
    let long = vec![7; 200_000];
    assert_eq!(plugin.ask(Ask::post("echo").body(long.clone())).bytes(), long);
    assert_eq!(plugin.ask(Ask::get("echo")).bytes(), b"");
    let answer = plugin.get("head-first");
    assert_eq!((answer.status(), answer.header("x-early"), answer.text().as_str()), (202, Some("yes"), "ab"));
    let answer = plugin.get("fails");
    assert_eq!((answer.text().as_str(), answer.failure()), ("some", Some("half-way")));
    assert!(plugin.get("twice").failure().unwrap().contains("second answer"));
}

#[test]
fn when_the_client_leaves_the_future_is_dropped() {
    let mut plugin = test::start::<Streams>();
    let sent = plugin.send(Ask::get("endless"));
    plugin.advance(Duration::from_millis(2500));
    assert_eq!(plugin.received(&sent), b"tick tick tick ");
    assert_eq!(plugin.get("").text(), "0");
    plugin.leave(sent);
    assert_eq!(plugin.get("").text(), "1");
    plugin.advance(Duration::from_secs(5));
}

async fn clock(request: Request, _: Context) -> Result<String, Error> {
    let start = monotonic();
    let seconds = Duration::from_secs;
    match request.path() {
        "sleep" => sleep(Duration::from_micros(1500)).await,
        "join" => drop(join(sleep(seconds(1)), sleep(seconds(3))).await),
        "all" => drop(join_all((1..=4).map(|n| sleep(seconds(n)))).await),
        "race" => race(sleep(seconds(2)), sleep(seconds(1))).await,
        "any" => race_all((5..9).map(|n| sleep(seconds(n)))).await,
        "late" => timeout(seconds(1), sleep(seconds(2))).await?,
        "in time" => timeout(seconds(2), sleep(seconds(1))).await?,
        "mixed" => drop(
            join_all(vec![
                boxed(async { 1 }),
                boxed(async {
                    pause().await;
                    2
                }),
            ])
            .await,
        ),
        _ => {}
    }
    Ok(format!("{:?}", monotonic() - start))
}
plugin!(Clock, clock);

#[test]
fn time_is_the_tests() {
    let mut plugin = test::start::<Clock>();
    for (url, expected) in [
        ("sleep", "2ms"),
        ("join", "3s"),
        ("all", "4s"),
        ("race", "1s"),
        ("any", "5s"),
        ("in time", "1s"),
        ("late", "not done within 1s"),
        ("mixed", "0ns"),
        ("", "0ns"),
    ] {
        assert_eq!(plugin.get(url).text(), expected, "{url}");
    }
    assert_eq!(plugin.get("late").status(), 504);
}

#[test]
fn requests_run_side_by_side() {
    let mut plugin = test::start::<Clock>();
    let long = plugin.send(Ask::get("join"));
    let short = plugin.send(Ask::get("race"));
    assert_eq!(plugin.finish(short).text(), "1s");
    assert_eq!(plugin.finish(long).text(), "3s");
}

async fn threads(request: Request, _: Context) -> Result<String, Error> {
    match request.path() {
        "panic" => in_thread(|| panic!("in a thread")).await?,
        "own" => {
            let (sender, receiver) = oneshot();
            std::thread::spawn(move || sender.send("from a thread"));
            return Ok(receiver.await.unwrap_or("nothing").into());
        }
        "dropped" => {
            let (sender, receiver) = oneshot::<u32>();
            std::thread::spawn(move || drop(sender));
            return Ok(format!("{:?}", receiver.await));
        }
        _ => {}
    }
    let results = join_all((0..10).map(|n| in_thread(move || n * n))).await;
    Ok(results.into_iter().collect::<Result<Vec<_>, _>>()?.iter().sum::<u32>().to_string())
}
plugin!(Threads, threads);

#[test]
fn other_threads_find_back() {
    let mut plugin = test::start::<Threads>();
    assert_eq!(plugin.get("").text(), "285");
    assert_eq!(plugin.get("own").text(), "from a thread");
    assert_eq!(plugin.get("dropped").text(), "None");
    let answer = plugin.get("panic");
    assert!(answer.failure().unwrap().contains("in a thread"));
}

async fn fetching(request: Request, _: Context) -> Result<Response, Error> {
    let url = request.query("url").unwrap_or_default();
    let response = match request.path() {
        "post" => Fetch::post(url).header("x-mine", "1").body("hello").await?,
        "manual" => fetch(url).manual_redirect().await?,
        "stream" => {
            let upload = |mut writer: Writer| async move {
                for piece in ["a", "b", "c"] {
                    writer.write(piece).await?;
                    sleep(Duration::from_secs(1)).await;
                }
                Ok(())
            };
            Fetch::put(url).stream(upload).await?
        }
        "broken" => Fetch::put(url).stream(|_| async { Err(Error::fail("no body")) }).await?,
        "caught" => match fetch(url).await {
            Ok(response) => response,
            Err(_) => return Ok((599, "fetch failed").into()),
        },
        "unread" => return Ok(fetch(url).await?.status().into()),
        _ => fetch(url).await?,
    };
    let status = response.status();
    let kind = response.header("content-type").unwrap_or("none").to_string();
    Ok(Response::from(response.text().await?).status(status).header("x-type", kind))
}
plugin!(Fetching, fetching);

#[test]
fn fetches_are_answered_by_the_test() {
    let answer = |fetched: &test::Fetched| match fetched.url.as_str() {
        "http://down/" => Err("nobody there".to_string()),
        _ => {
            let body = String::from_utf8_lossy(&fetched.body);
            let kind = fetched.headers.get("content-type");
            let text =
                format!("{} {} {kind:?} {} {body}", fetched.method, fetched.headers.len(), fetched.manual_redirect);
            Ok(Response::from(text).status(203))
        }
    };
    let mut plugin = Setup::new().on_fetch(answer).start::<Fetching>().unwrap();
    let mut text = |url: &str| plugin.get(url).text();
    assert_eq!(text("?url=http://up/"), "GET 0 None false ");
    assert_eq!(text("manual?url=http://up/"), "GET 0 None true ");
    assert_eq!(text("post?url=http://up/"), "POST 2 Some(\"text/plain;charset=UTF-8\") false hello");
    assert_eq!(text("stream?url=http://up/"), "PUT 0 None false abc");
    assert_eq!(text("caught?url=http://down/"), "fetch failed");
    let answer = plugin.get("?url=http://down/");
    assert_eq!(answer.failure(), Some("fetch of http://down/ got no response: nobody there"));
    assert_eq!(plugin.get("broken?url=http://up/").failure(), Some("no body"));
    let answer = plugin.get("unread?url=http://up/");
    assert_eq!(answer.status(), 203);
    assert_eq!(plugin.get("?url=x").header("x-type"), Some("text/plain;charset=UTF-8"));
}

async fn contextual(request: Request, context: Context) -> Result<String, Error> {
    Ok(match request.path() {
        "name" => format!("{} {} {}", context.name(), context.location(), context.config()),
        "set" => {
            context.state_set("key", [1, 2])?;
            format!("{:?} {:?}", context.state_get("key"), context.state_get("other"))
        }
        "delete" => format!("{} {}", context.state_delete("key"), context.state_delete("key")),
        "large" => format!("{:?}", context.state_set("", "x")),
        "long" => {
            context.state_set("long", vec![b'x'; 1000])?;
            context.state_get("long").map_or(0, |value| value.len()).to_string()
        }
        "none" => format!("{}", context.try_state::<u8>().is_none()),
        "missing" => context.state::<u8>().to_string(),
        "random" => {
            let mut bytes = [0; 32];
            random(&mut bytes);
            format!("{}", bytes != [0; 32])
        }
        "log" => {
            info!("one {}", 1);
            error!("two");
            Logger::current().log(Level::Debug, "three");
            String::new()
        }
        _ => context.state::<String>().to_string(),
    })
}
async fn create(context: Context) -> Result<(), Error> {
    let name = context.config_str().ok_or_else(|| Error::fail("the config must be a name, a JSON string"))?;
    if name == "panic" {
        panic!("in on_create");
    }
    sleep(Duration::from_secs(1)).await;
    context.set_state(name);
    Ok(())
}
plugin!(Contextual, contextual, |context| Some(valor::__private::begin(create, context)));

#[test]
fn a_context_knows_its_instance() {
    let mut plugin = Setup::new().name("mine").config("\"Alice\"").start::<Contextual>().unwrap();
    let mut text = |url: &str| plugin.get(url).text();
    assert_eq!(text("name"), "mine http://localhost:8080/test/ \"Alice\"");
    assert_eq!(text(""), "Alice");
    assert_eq!(text("set"), "Some([1, 2]) None");
    assert_eq!(text("delete"), "true false");
    assert!(text("large").starts_with("Err("));
    assert_eq!(text("long"), "1000");
    assert_eq!(text("none"), "true");
    assert_eq!(text("random"), "true");
    let failure = plugin.get("missing").failure().map(String::from).unwrap();
    assert!(failure.contains("no state of type u8: call set_state() in on_create"), "{failure}");
    plugin.get("log");
    let expected = [(Level::Info, "one 1"), (Level::Error, "two"), (Level::Debug, "three")];
    assert_eq!(plugin.log(), expected.map(|(level, text)| (level, text.to_string())));
}

#[test]
fn creation_fails_with_its_reason() {
    let failure = |config: &str| Setup::new().config(config).start::<Contextual>().err().unwrap();
    assert_eq!(failure("42"), "the config must be a name, a JSON string");
    assert!(failure("\"panic\"").starts_with("panicked: in on_create ("));
}

#[test]
fn on_create_takes_several_forms() {
    use valor::__private::begin;
    plugin!(Nothing, |_, _| async { "" }, |context| Some(begin(|| (), context)));
    plugin!(Fails, |_, _| async { "" }, |context| Some(begin(|_: Context| Err::<(), _>(std::fmt::Error), context)));
    plugin!(Later, |_, _| async { "" }, |context| Some(begin(
        |_: Context| async { Err::<(), _>(Error::fail("later")) },
        context
    )));
    plugin!(LaterNothing, |_, _| async { "" }, |context| Some(begin(|| async {}, context)));
    assert!(Setup::new().start::<Nothing>().is_ok() && Setup::new().start::<LaterNothing>().is_ok());
    assert_eq!(Setup::new().start::<Fails>().err().unwrap(), std::fmt::Error.to_string());
    assert_eq!(Setup::new().start::<Later>().err().unwrap(), "later");
}

#[test]
fn two_instances_share_nothing() {
    let mut one = Setup::new().config("\"one\"").start::<Contextual>().unwrap();
    let mut two = Setup::new().config("\"two\"").start::<Contextual>().unwrap();
    assert_eq!((one.get("").text(), two.get("").text()), ("one".into(), "two".into()));
    drop(one);
    assert_eq!(two.get("").text(), "two");
}

#[test]
fn state_is_dropped_with_the_instance() {
    thread_local!(static COUNT: Rc<Cell<u32>> = Rc::new(Cell::new(0)));
    // It owns its context: a circle that the end of the instance has to open.
    struct Own(Guard, Context);
    fn keep(context: Context) {
        let own = Own(Guard(COUNT.with(Rc::clone)), context.clone());
        context.set_state(own);
    }
    async fn wait(_: Request, context: Context) -> String {
        let _guard = Guard(COUNT.with(Rc::clone));
        sleep(Duration::from_secs(1)).await;
        context.state::<Own>().0 .0.get().to_string() + &context.state::<Own>().1.name()
    }
    plugin!(Keeps, wait, |context| Some(valor::__private::begin(keep, context)));
    let mut plugin = test::start::<Keeps>();
    plugin.send(Ask::get(""));
    assert_eq!(COUNT.with(|count| count.get()), 0);
    drop(plugin);
    assert_eq!(COUNT.with(|count| count.get()), 2);
}
