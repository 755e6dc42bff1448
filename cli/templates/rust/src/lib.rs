//! Greets: /__name__?who=Bob is answered with "Alice says hello Bob!". The name is the config in plugins.json.
use valor::*;

#[vlugin(on_create = create)]
async fn greet(request: Request, context: Context) -> Result<String, Error> {
    let who = request.query("who").ok_or_else(|| Error::new(400, "Say who: ?who=NAME\n"))?;
    Ok(format!("{} says hello {who}!\n", context.state::<String>()))
}

fn create(context: Context) -> Result<(), Error> {
    let name: String = context.config_as()?;
    context.set_state(name);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plugin() -> test::Instance {
        test::Setup::new().config("\"Alice\"").start::<greet>().expect("an instance")
    }

    #[test]
    fn greets_whoever_is_named() {
        let answer = plugin().get("?who=Bob");
        assert_eq!((answer.status(), answer.text().as_str()), (200, "Alice says hello Bob!\n"));
    }

    #[test]
    fn asks_for_a_name() {
        assert_eq!(plugin().get("").status(), 400);
    }

    #[test]
    fn says_what_its_config_must_be() {
        assert!(test::Setup::new().config("7").start::<greet>().is_err());
    }
}
