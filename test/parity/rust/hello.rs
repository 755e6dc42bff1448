use valor::*;

#[vlugin]
async fn hello(_request: Request) -> Response {
    "OK response from a plugin".into()
}
