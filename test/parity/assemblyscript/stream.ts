import { onRequest, PLAIN_TEXT, Request, Response, sleep, Writer } from 'valor';

const WITHOUT_END = i32.MAX_VALUE;

let gone = 0;

onRequest((request) => {
  if (request.path == 'gone') return Response.text(gone.toString());
  request.onGone(() => {
    gone++;
  });
  if (request.method == 'POST') new Copy(request).next();
  else if (request.path == 'endless') new Letters(request, WITHOUT_END, 16384, 5).next();
  else new Letters(request, number(request, 'pieces'), number(request, 'size'), number(request, 'wait')).next();
  return null;
});

function number(request: Request, name: string): i32 {
  const text = request.query(name);
  return text === null ? 0 : I32.parseInt(text);
}

/** The request's body comes back as it arrives. */
class Copy {
  private readonly writer: Writer;

  constructor(private readonly request: Request) {
    const type = request.header('content-type');
    this.writer = request.stream(
      new Response().header('content-type', type === null ? 'application/octet-stream' : type));
  }

  next(): void {
    this.request.body.read<Copy>(this, (copy, piece) => {
      if (piece === null) copy.writer.end();
      else copy.writer.write(piece, copy, (copy) => copy.next());
    });
  }
}

/** Pieces of one letter each. */
class Letters {
  private readonly writer: Writer;
  private readonly piece: Uint8Array;
  private made: i32 = 0;

  constructor(
    private readonly request: Request,
    private readonly count: i32,
    size: i32,
    private readonly wait: u64,
  ) {
    this.writer = request.stream(new Response().header('content-type', PLAIN_TEXT));
    this.piece = new Uint8Array(size);
  }

  next(): void {
    if (this.made == this.count) {
      if (number(this.request, 'fail') > 0) this.request.fail('asked to fail');
      else this.writer.end();
      return;
    }
    if (this.wait > 0) sleep<Letters>(this.wait, this, (letters) => letters.write());
    else this.write();
  }

  private write(): void {
    this.piece.fill(this.count == WITHOUT_END ? 101 : ((97 + (this.made % 26)) as u8));
    this.made++;
    this.writer.write<Letters>(this.piece, this, (letters) => letters.next());
  }
}
