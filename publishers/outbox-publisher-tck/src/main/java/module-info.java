import org.jspecify.annotations.NullMarked;

/** The suite that every publisher to a broker passes, as JUnit tests to inherit. */
@NullMarked
module dev.outbox.publisher.tck {
    exports dev.outbox.publisher.tck;

    opens dev.outbox.publisher.tck to
            org.junit.platform.commons;

    requires com.fasterxml.jackson.databind;
    requires transitive dev.outbox;
    requires transitive org.junit.jupiter.api;
    requires static transitive org.jspecify;
}
