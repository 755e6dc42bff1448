use valor::*;

#[vlugin]
async fn my_handler(_req: Request) -> Response {
    "OK response from a plugin".into()
}
