use valor::*;

#[vlugin]
async fn echo(mut request: Request) -> Result<Response, Error> {
    if request.query("fail").is_some() {
        return Err(Error::fail("asked to fail"));
    }
    #[cfg(target_arch = "wasm32")]
    if request.query("trap").is_some() {
        core::arch::wasm32::unreachable();
    }
    if request.query("bad-header").is_some() {
        return Ok(Response::new(200).header("x-bad", "two\nlines"));
    }
    if let Some(ms) = request.query("block") {
        let end = monotonic() + Duration::from_millis(ms.parse()?);
        while monotonic() < end {}
    }
    if let Some(ms) = request.query("wait") {
        sleep(Duration::from_millis(ms.parse()?)).await;
    }
    if let Some(url) = request.query("fetch") {
        return Ok(relay(url).await.unwrap_or_else(|_| (599, "fetch failed").into()));
    }
    let status = match request.query("status") {
        Some(status) => status.parse()?,
        None => 200,
    };
    let body = request.body().bytes().await?;
    let mut response = Response::new(status).header("x-method", request.method()).header("x-url", request.url());
    for (name, value) in request.headers().iter().filter(|(name, _)| name.starts_with("x-case-")) {
        response = response.header(name, value);
    }
    if let (Some(kind), false) = (request.headers().get_bytes("content-type"), body.is_empty()) {
        response = response.header("content-type", kind);
    }
    Ok(response.body(body))
}

async fn relay(url: String) -> Result<Response, Error> {
    let fetched = fetch(url).await?;
    let mut response = Response::new(fetched.status());
    if let Some(kind) = fetched.headers().get_bytes("content-type") {
        response = response.header("content-type", kind);
    }
    Ok(response.body(fetched.bytes().await?))
}
