package dev.outbox.store.jooq;

import dev.outbox.store.jooq.internal.dialect.Dialects;
import java.sql.SQLException;

/** Who may what, on H2. */
class H2AccessTest extends AccessTest {
    H2AccessTest() {
        super(new H2Harness(), Dialects.H2);
    }

    @Override
    String readOnly() throws SQLException {
        H2Harness.letGo(address); // or the file is open for writing already
        return address.replace(";AUTO_SERVER=TRUE", ";ACCESS_MODE_DATA=r");
    }

    @Override
    void turnReadOnly() throws SQLException {
        H2Harness.letGo(address);
    }

    @Override
    String cause() {
        return "ACCESS_MODE_DATA=r";
    }

    @Override
    void writable() {
        // the file is, for other URLs
    }
}
