//! The attribute macro of the crate valor, which re-exports it.
//!
//! It reads no more of a function than its signature's outline and writes the glue as text, so it needs no parser of
//! Rust.
use proc_macro::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

/// Makes a plug-in of a function: `async fn` or `fn`, taking a Request and, if it likes, a Context or &Context.
///
/// `#[vlugin(on_create = create)]` names a function that runs first in every instance; see OnCreate.
#[proc_macro_attribute]
pub fn vlugin(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let glue = Arguments::parse(arguments).and_then(|arguments| Ok(glue(&arguments, &Handler::parse(item.clone())?)));
    // The function stays where the macro cannot be applied, so that there is only one error.
    let mut output = using_request(item);
    output.extend(glue.unwrap_or_else(Mistake::into_tokens));
    output
}

/// What is wrong, and where.
struct Mistake {
    place: Span,
    text: String,
}

impl Mistake {
    fn new<T>(place: Span, text: impl Into<String>) -> Result<T, Mistake> {
        Err(Mistake { place, text: text.into() })
    }

    fn into_tokens(self) -> TokenStream {
        parse_at(&format!("::std::compile_error! {{ {:?} }}", format!("#[vlugin]: {}", self.text)), self.place)
    }
}

#[derive(Default)]
struct Arguments {
    /// The path of a function.
    on_create: Option<TokenStream>,
}

impl Arguments {
    fn parse(tokens: TokenStream) -> Result<Arguments, Mistake> {
        const FORM: &str = "it takes nothing, or on_create = NAME_OF_A_FUNCTION";
        let mut tokens = tokens.into_iter();
        let first = match tokens.next() {
            None => return Ok(Arguments::default()),
            Some(first) => first,
        };
        if first.to_string() != "on_create" {
            return Mistake::new(first.span(), format!("`{first}` is unknown: {FORM}"));
        }
        match tokens.next() {
            Some(TokenTree::Punct(equals)) if equals.as_char() == '=' => {}
            _ => return Mistake::new(first.span(), FORM),
        }
        let path: Vec<TokenTree> = tokens.collect();
        let is_path = |token: &TokenTree| match token {
            TokenTree::Ident(_) => true,
            TokenTree::Punct(punct) => punct.as_char() == ':',
            _ => false,
        };
        match path.iter().find(|token| !is_path(token)) {
            Some(other) => Mistake::new(other.span(), format!("`{other}` is no name of a function: {FORM}")),
            None if path.is_empty() => Mistake::new(first.span(), FORM),
            None => Ok(Arguments { on_create: Some(path.into_iter().collect()) }),
        }
    }
}

/// The outline of the function.
struct Handler {
    visibility: String,
    is_async: bool,
    name: Ident,
    /// What is passed for the second parameter: "", ", context" or ", &context".
    context: &'static str,
}

impl Handler {
    fn parse(item: TokenStream) -> Result<Handler, Mistake> {
        let mut visibility = String::new();
        let mut is_async = false;
        let mut tokens = item.into_iter().peekable();
        let name = loop {
            let token = match tokens.next() {
                Some(token) => token,
                None => return Mistake::new(Span::call_site(), "it goes on a function"),
            };
            match token.to_string().as_str() {
                // An attribute; its brackets are the next token.
                "#" => drop(tokens.next()),
                "async" => is_async = true,
                "pub" => {
                    visibility = String::from("pub");
                    if let Some(TokenTree::Group(group)) = tokens.peek() {
                        visibility += &group.to_string();
                        tokens.next();
                    }
                }
                word @ ("unsafe" | "extern" | "const") => {
                    let text = format!("the handler is a plain fn or async fn, without `{word}`");
                    return Mistake::new(token.span(), text);
                }
                "fn" => match tokens.next() {
                    Some(TokenTree::Ident(name)) => break name,
                    _ => return Mistake::new(token.span(), "this function has no name"),
                },
                _ => return Mistake::new(token.span(), "it goes on a function"),
            }
        };
        let parameters = match tokens.next() {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => group,
            Some(other) => return Mistake::new(other.span(), "the handler cannot be generic"),
            None => return Mistake::new(name.span(), "the handler takes (Request) or (Request, Context)"),
        };
        let context = Handler::context(&name, &parameters)?;
        Ok(Handler { visibility, is_async, name, context })
    }

    fn context(name: &Ident, parameters: &Group) -> Result<&'static str, Mistake> {
        let parameters = split_at_commas(parameters.stream());
        let first = parameters.first().and_then(|tokens| tokens.iter().find(|token| token.to_string() == "self"));
        if let Some(this) = first {
            return Mistake::new(this.span(), "the handler is a function on its own, not one of a type");
        }
        let second = match parameters.len() {
            1 => return Ok(""),
            2 => &parameters[1],
            count => {
                let text =
                    format!("the handler takes (Request) or (Request, Context); this one has {count} parameters");
                return Mistake::new(name.span(), text);
            }
        };
        let mut kind = second.iter().skip_while(|token| token.to_string() != ":").skip(1);
        match kind.next().map(TokenTree::to_string).as_deref() {
            Some("&") => Ok(", &context"),
            _ => Ok(", context"),
        }
    }
}

/// The parameters of a function. A comma inside of angle brackets separates nothing.
fn split_at_commas(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut parts = vec![Vec::new()];
    let mut depth = 0;
    for token in tokens {
        if let TokenTree::Punct(punct) = &token {
            match punct.as_char() {
                '<' => depth += 1,
                '>' => depth -= 1,
                ',' if depth == 0 => {
                    parts.push(Vec::new());
                    continue;
                }
                _ => {}
            }
        }
        if let Some(part) = parts.last_mut() {
            part.push(token);
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// The function, in which its request counts as used: a handler that answers without looking at it gets no warning.
fn using_request(item: TokenStream) -> TokenStream {
    let mut tokens: Vec<TokenTree> = item.into_iter().collect();
    let request = tokens.iter().find_map(|token| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {
            let first = split_at_commas(group.stream()).into_iter().next()?;
            match (first.first()?, first.get(1)?) {
                (TokenTree::Ident(name), TokenTree::Punct(colon)) if colon.as_char() == ':' => Some(name.clone()),
                _ => None,
            }
        }
        _ => None,
    });
    if let (Some(name), Some(TokenTree::Group(body))) = (request, tokens.last()) {
        if body.delimiter() == Delimiter::Brace && name.to_string() != "_" {
            let mut statements = parse_at(&format!("let _ = &{name};"), name.span());
            statements.extend(body.stream());
            let mut block = Group::new(Delimiter::Brace, statements);
            block.set_span(body.span());
            tokens.pop();
            tokens.push(TokenTree::Group(block));
        }
    }
    tokens.into_iter().collect()
}

/// A type of the function's name, which has a namespace of its own, that implements Plugin.
fn glue(arguments: &Arguments, handler: &Handler) -> TokenStream {
    let Handler { visibility, is_async, name, context } = handler;
    let create = match &arguments.on_create {
        Some(path) => format!("::std::option::Option::Some(::valor::__private::begin({path}, context))"),
        None => String::from("::std::option::Option::None"),
    };
    let call = format!("{name}(request{context})");
    let handle = if *is_async {
        format!(
            "::valor::__private::Answer::Later(::std::boxed::Box::pin(async move {{
                ::std::convert::Into::<::valor::Response>::into({call}.await)
            }}))"
        )
    } else {
        format!("::valor::__private::Answer::Now(::std::convert::Into::<::valor::Response>::into({call}))")
    };
    let text = format!(
        "#[doc(hidden)]
        #[allow(non_camel_case_types)]
        {visibility} enum {name} {{}}
        impl ::valor::__private::Plugin for {name} {{
            fn create(context: ::valor::Context) -> ::std::option::Option<::valor::__private::Creation> {{
                let _ = &context;
                {create}
            }}
            fn handle(request: ::valor::Request, context: ::valor::Context) -> ::valor::__private::Answer {{
                let _ = &context;
                {handle}
            }}
        }}
        ::valor::__export!({name});"
    );
    parse_at(&text, name.span())
}

/// Text as tokens that rustc takes to stand at `place`, so that its errors point there.
fn parse_at(text: &str, place: Span) -> TokenStream {
    fn moved(tokens: TokenStream, place: Span) -> TokenStream {
        let at_place = |token| {
            let mut token = match token {
                TokenTree::Group(group) => {
                    TokenTree::Group(Group::new(group.delimiter(), moved(group.stream(), place)))
                }
                other => other,
            };
            token.set_span(place);
            token
        };
        tokens.into_iter().map(at_place).collect()
    }
    match text.parse() {
        Ok(tokens) => moved(tokens, place),
        Err(error) => panic!("#[vlugin] wrote what is no Rust ({error}); this is a mistake in Valor:\n{text}"),
    }
}
