package dev.outbox.store.jooq;

import java.sql.DriverManager;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** In memory: a file of H2 that so much is written to and deleted from is now and then not there to be read (seen in 2.5). */
class H2LargeMessagesTest extends LargeMessagesTest {
    H2LargeMessagesTest() {
        super(new H2Harness());
    }

    @Override
    @BeforeEach
    void create() throws Exception {
        address = "jdbc:h2:mem:large;DB_CLOSE_DELAY=-1";
        harness.open(address).close();
    }

    @Override
    @AfterEach
    void drop() throws Exception {
        try (var connection = DriverManager.getConnection(address)) {
            connection.createStatement().execute("SHUTDOWN");
        }
    }
}
