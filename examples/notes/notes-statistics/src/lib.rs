//! Counts what is in a note and says how easily it reads: POST text, JSON comes back. On the server this is a native
//! library, in browsers the same as WASM.
mod text;

use valor::*;

const LONGEST_NOTE: usize = 1024 * 1024;

#[vlugin]
async fn statistics(mut request: Request) -> Result<Response, Error> {
    if request.method() != "POST" {
        return Ok(Response::new(405).header("allow", "POST").body("POST text\n"));
    }
    let text = request.body().text_up_to(LONGEST_NOTE).await?;
    Ok(Response::json(text::Statistics::of(&text).to_json()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use valor::test::{start, Ask};

    #[test]
    fn counts_a_note() {
        let mut plugin = start::<statistics>();
        let answer = plugin.ask(Ask::post("").body("# Bread\n\nFlour, water. Water again!\n"));
        assert_eq!(
            answer.text(),
            r#"{"words":5,"characters":36,"sentences":3,"paragraphs":2,"seconds":2,"ease":70,"frequent":[["water",2]]}"#
        );
        assert_eq!(plugin.get("").status(), 405);
    }
}
