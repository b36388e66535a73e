import org.jspecify.annotations.NullMarked;

/** The suite that every store passes, as JUnit tests to inherit. */
@NullMarked
module dev.outbox.tck {
    exports dev.outbox.tck;

    opens dev.outbox.tck to
            org.junit.platform.commons;

    requires transitive dev.outbox;
    requires transitive org.junit.jupiter.api;
    requires dev.outbox.relay;
    requires com.fasterxml.jackson.databind;
    requires static transitive org.jspecify;
}
