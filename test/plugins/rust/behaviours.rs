//! What test/rust.test.ts asks: each path shows one behaviour.
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use valor::*;

#[derive(Default)]
struct State {
    requests: Cell<u32>,
    /// Drop counted by the guards of futures.
    dropped: Rc<Cell<u32>>,
    senders: RefCell<Vec<Sender<u32>>>,
}

struct Guard(Rc<Cell<u32>>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

async fn create(context: Context) -> Result<(), Error> {
    match context.config_as::<Option<String>>()?.as_deref() {
        Some("panic") => panic!("panicked in on_create"),
        Some("refuse") => return Err(Error::fail("refused in on_create")),
        _ => {}
    }
    sleep(Duration::from_millis(1)).await;
    context.set_state(State::default());
    Ok(())
}

#[vlugin(on_create = create)]
async fn behaviours(mut request: Request, context: Context) -> Result<Response, Error> {
    let state = context.state::<State>();
    state.requests.set(state.requests.get() + 1);
    let path = request.path().to_string();
    Ok(match path.as_str() {
        "panic" => panic!("panicked on purpose"),
        "panic-later" => {
            sleep(Duration::from_millis(1)).await;
            let empty: Vec<u32> = Vec::new();
            empty[request.url().len()].into_text()
        }
        "panic-in-stream" => Response::stream(|mut writer| async move {
            writer.write("begun").await?;
            sleep(Duration::from_millis(1)).await;
            panic!("panicked while it wrote");
        }),
        "error" => return Err(Error::new(409, "taken")),
        "failure" => drop_text("x".parse::<u32>()?),
        "abort" => abort("given up on purpose"),
        "count" => state.requests.get().into_text(),
        "thread" => thread_results().await?.into_text(),
        "waits" => {
            let _guard = Guard(state.dropped.clone());
            sleep(Duration::from_secs(600)).await;
            Response::new(204)
        }
        "reads" => {
            let _guard = Guard(state.dropped.clone());
            request.body().bytes().await?.len().into_text()
        }
        "dropped" => state.dropped.get().into_text(),
        "wakes-itself" => {
            for _ in 0..1000 {
                pause().await;
            }
            "awake".into()
        }
        "receive" => {
            let (sender, receiver) = oneshot();
            state.senders.borrow_mut().push(sender);
            receiver.await.unwrap_or(0).into_text()
        }
        "send" => {
            let senders = state.senders.take();
            let count = senders.len();
            senders.into_iter().for_each(|sender| sender.send(7));
            count.into_text()
        }
        "upload" => upload(context.location() + "length").await?,
        "length" => request.body().bytes().await?.len().into_text(),
        "random" => {
            let mut bytes = [0; 8];
            random(&mut bytes);
            u64::from_ne_bytes(bytes).into_text()
        }
        "log" => {
            debug!("said {}", "debug");
            info!("said info");
            warn!("said warn");
            error!("said error");
            Response::new(204)
        }
        "kept" => {
            context.state_set("key", request.query("value").unwrap_or_default())?;
            format!("{:?} {}", context.state_get("key"), context.state_delete("none")).into()
        }
        _ => (404, format!("{} {} {}", context.name(), context.location(), context.config())).into(),
    })
}

async fn thread_results() -> Result<u32, Error> {
    let results = join_all((0..20).map(|number| in_thread(move || number))).await;
    Ok(results.into_iter().collect::<Result<Vec<u32>, Error>>()?.iter().sum())
}

/// Sends a body in pieces to `url`.
async fn upload(url: String) -> Result<Response, Error> {
    let write = |mut writer: Writer| async move {
        for _ in 0..64 {
            writer.write([b'u'; 65536]).await?;
        }
        Ok(())
    };
    let fetched = timeout(Duration::from_secs(20), Fetch::put(url).stream(write)).await??;
    Ok(Response::from(fetched.text().await?))
}

fn drop_text(number: u32) -> Response {
    number.into_text()
}

trait IntoText {
    fn into_text(self) -> Response;
}

impl<T: ToString> IntoText for T {
    fn into_text(self) -> Response {
        self.to_string().into()
    }
}
