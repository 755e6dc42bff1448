use std::cell::Cell;
use std::rc::Rc;
use valor::*;

/// How many answers ended because the client was gone.
struct Gone(Cell<u32>);

fn create(context: Context) {
    context.set_state(Gone(Cell::new(0)));
}

/// Counts an answer that does not come to its end.
struct Watch(Rc<Gone>);

impl Watch {
    fn end(self) -> Result<(), Error> {
        std::mem::forget(self);
        Ok(())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0 .0.set(self.0 .0.get() + 1);
    }
}

#[vlugin(on_create = create)]
async fn stream(request: Request, context: Context) -> Response {
    let gone = context.state::<Gone>();
    match (request.method(), request.path()) {
        ("POST", _) => {
            let kind = request.header("content-type").unwrap_or("application/octet-stream").to_string();
            come_back(request.into_body(), gone).header("content-type", kind)
        }
        (_, "endless") => endless(gone),
        (_, "gone") => gone.0.get().to_string().into(),
        _ => pieces(&request, gone),
    }
}

fn come_back(mut body: Body, gone: Rc<Gone>) -> Response {
    Response::stream(|mut writer| async move {
        let watch = Watch(gone);
        while let Some(piece) = body.chunk().await? {
            writer.write(piece).await?;
        }
        watch.end()
    })
}

fn text(response: Response) -> Response {
    response.header("content-type", "text/plain;charset=UTF-8")
}

fn endless(gone: Rc<Gone>) -> Response {
    text(Response::stream(|mut writer| async move {
        let _watch = Watch(gone);
        loop {
            writer.write([b'e'; 16384]).await?;
            sleep(Duration::from_millis(5)).await;
        }
    }))
}

fn pieces(request: &Request, gone: Rc<Gone>) -> Response {
    let number = |name| request.query(name).and_then(|text| text.parse::<usize>().ok()).unwrap_or(0);
    let (count, size, wait) = (number("pieces"), number("size"), number("wait") as u64);
    let fails = number("fail") > 0;
    text(Response::stream(move |mut writer| async move {
        let watch = Watch(gone);
        for letter in (b'a'..=b'z').cycle().take(count) {
            if wait > 0 {
                sleep(Duration::from_millis(wait)).await;
            }
            writer.write(vec![letter; size]).await?;
        }
        if fails {
            return Err(Error::fail("asked to fail"));
        }
        watch.end()
    }))
}
