package dev.outbox.store.jooq;

/** Who may what, on H2. */
class H2AccessTest extends AccessTest {
    H2AccessTest() {
        super(new H2Harness(), new H2Dialect());
    }

    @Override
    String readOnly() {
        return address.replace(";AUTO_SERVER=TRUE", ";ACCESS_MODE_DATA=r");
    }

    @Override
    void writable() {
        // the file is, for other URLs
    }
}
