import org.jspecify.annotations.NullMarked;

/** Messages as JSON by Jackson 3: see {@link dev.outbox.jackson3.Jackson3Codecs}. */
@NullMarked
@SuppressWarnings("module") // the digit is that of the library
module dev.outbox.jackson3 {
    exports dev.outbox.jackson3;

    requires transitive dev.outbox;
    requires transitive tools.jackson.core;
    requires transitive tools.jackson.databind;
    requires static com.google.auto.service;
    requires static transitive org.jspecify;

    provides dev.outbox.JsonCodecProvider with
            dev.outbox.jackson3.Jackson3CodecProvider;
}
