package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** What is refused on H2. */
class H2OpeningTest extends OpeningTest {
    H2OpeningTest() {
        super(new H2Harness());
    }

    @Test
    void idsThatAreBehindTheirRowsAreRefused() throws Exception {
        write("old");
        execute("INSERT INTO outbox_message (id, topic, partition_no, payload) OVERRIDING SYSTEM VALUE"
                + " VALUES (1000, 'orders', 0, '')");
        String text = refusal(address);
        assertTrue(text.contains("there was a message 1000"), text);
        execute(text.substring(text.indexOf("ALTER TABLE")));
        assertOpens();
    }
}
