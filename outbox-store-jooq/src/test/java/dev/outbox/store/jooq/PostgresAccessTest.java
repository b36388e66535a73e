package dev.outbox.store.jooq;

import org.junit.jupiter.api.Tag;

/** Who may what, on PostgreSQL. */
@Tag("postgres")
class PostgresAccessTest extends AccessTest {
    PostgresAccessTest() {
        super(new PostgresHarness(), new PostgresDialect());
    }

    /** A standby says the same of its transactions. */
    @Override
    String readOnly() throws Exception {
        execute("ALTER DATABASE \"" + query("SELECT current_database()") + "\" SET default_transaction_read_only = on");
        return address;
    }

    @Override
    void writable() throws Exception {
        execute(
                "SET default_transaction_read_only = off",
                "ALTER DATABASE \"" + query("SELECT current_database()") + "\" RESET default_transaction_read_only");
    }
}
