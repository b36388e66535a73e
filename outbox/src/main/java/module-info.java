/**
 * What most applications need, without code of its own: the API, the relay, and JSON by Jackson. Add one store to it.
 */
module dev.outbox.all {
    requires transitive dev.outbox;
    requires transitive dev.outbox.jackson;
    requires transitive dev.outbox.relay;
}
