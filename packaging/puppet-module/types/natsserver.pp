# @summary A broker, as in `tls://nats1.example.com:4222`
type Kick::Natsserver = Pattern[
  /\A((tls|nats):\/\/)?(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9][A-Za-z0-9._-]{0,252})(:\d{1,5})?\/?\z/
]
