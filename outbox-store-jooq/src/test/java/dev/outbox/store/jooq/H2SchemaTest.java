package dev.outbox.store.jooq;

/** The tables of the outbox, on H2. */
class H2SchemaTest extends SchemaTest {
    H2SchemaTest() {
        super(new H2Harness(), new H2Dialect());
    }
}
