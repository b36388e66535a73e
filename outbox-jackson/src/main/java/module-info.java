import org.jspecify.annotations.NullMarked;

/** Messages as JSON by Jackson 2: see {@link dev.outbox.jackson.JacksonCodecs}. */
@NullMarked
module dev.outbox.jackson {
    exports dev.outbox.jackson;

    requires transitive dev.outbox;
    requires transitive com.fasterxml.jackson.core;
    requires transitive com.fasterxml.jackson.databind;
    requires com.fasterxml.jackson.datatype.jsr310;
    requires static com.google.auto.service;
    requires static transitive org.jspecify;

    provides dev.outbox.JsonCodecProvider with
            dev.outbox.jackson.JacksonCodecProvider;
}
