package dev.outbox.store.jooq;

import org.junit.jupiter.api.Tag;

/** Who may what, on MySQL. */
@Tag("mysql")
class MySqlAccessTest extends AccessTest {
    MySqlAccessTest() {
        super(new MySqlHarness(), MySqlDialect.MYSQL);
    }

    /** As a replica is; administrators may write all the same, so it takes another user to see. */
    @Override
    String readOnly() throws Exception {
        String url = urlOfNewUser("ALL ON " + query("SELECT database()") + ".*");
        execute("SET GLOBAL read_only = ON");
        return url;
    }

    @Override
    void writable() throws Exception {
        execute("SET GLOBAL read_only = OFF");
    }
}
