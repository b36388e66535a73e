/** An outbox in HSQLDB. */
module com.example.outbox {
    exports com.example.outbox;

    requires transitive dev.outbox;
    requires transitive java.sql;
    requires com.zaxxer.hikari;

    provides dev.outbox.StoreProvider with
            com.example.outbox.HsqlProvider;
}
