//! Keeps the name from its config ("Alice") and greets whoever the query names: GET ?who=Bob -> "Alice says hello Bob!"
use valor::*;

struct Greeter {
    name: String,
}

fn create(context: Context) -> Result<(), Error> {
    let name = context
        .config_str()
        .ok_or_else(|| Error::fail("with_state needs a name as its config, for example \"config\": \"Alice\""))?;
    context.set_state(Greeter { name });
    Ok(())
}

#[vlugin(on_create = create)]
fn greet(request: Request, context: &Context) -> Result<String, Error> {
    let who = request.query("who").ok_or_else(|| Error::new(400, "Say who: ?who=NAME\n"))?;
    Ok(format!("{} says hello {who}!", context.state::<Greeter>().name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use valor::test::Setup;

    #[test]
    fn greets_who_asks() {
        let mut plugin = Setup::new().config("\"Alice\"").start::<greet>().unwrap();
        assert_eq!(plugin.get("?who=Bob").text(), "Alice says hello Bob!");
        assert_eq!(plugin.get("").status(), 400);
    }

    #[test]
    fn needs_a_name() {
        assert!(Setup::new().start::<greet>().err().unwrap().contains("needs a name"));
    }
}
