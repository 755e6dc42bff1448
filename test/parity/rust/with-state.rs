use std::cell::Cell;
use valor::*;

struct Greeter {
    name: String,
    greeted: Cell<u32>,
}

fn create(context: Context) -> Result<(), Error> {
    let name = context.config_str().ok_or_else(|| Error::fail("the config must be a name, a JSON string"))?;
    context.set_state(Greeter { name, greeted: Cell::new(0) });
    Ok(())
}

#[vlugin(on_create = create)]
fn with_state(request: Request, context: &Context) -> Result<String, Error> {
    let greeter = context.state::<Greeter>();
    if request.path() == "count" {
        return Ok(greeter.greeted.get().to_string());
    }
    let who = request.query("who").ok_or_else(|| Error::new(400, "who is missing"))?;
    greeter.greeted.set(greeter.greeted.get() + 1);
    Ok(format!("{} says hello {who}!", greeter.name))
}
