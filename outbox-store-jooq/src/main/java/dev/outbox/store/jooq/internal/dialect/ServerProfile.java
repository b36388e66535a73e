package dev.outbox.store.jooq.internal.dialect;

import com.zaxxer.hikari.HikariConfig;
import dev.outbox.StoreOption;
import java.sql.DatabaseMetaData;
import java.sql.SQLException;
import java.util.Properties;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** How to connect to a database: its driver, its URLs, the settings of our own pool, and its versions. */
public interface ServerProfile {
    /** The name that the driver has for the product. */
    String product();

    /** The version of a server, as far as it tells: major, minor, patch. */
    int[] version(DatabaseMetaData server) throws SQLException;

    /** The oldest version that is supported, with as many of major, minor, patch as matter. */
    int[] leastVersion();

    /** The options that this database has, of those that only some databases have. */
    Set<StoreOption<Boolean>> options();

    String urlPrefix();

    String driverClass();

    /** Where to get the driver, as {@code group:artifact}. */
    String driverArtifact();

    /** The value of a parameter of a URL, or null if it is not in there. */
    @Nullable
    String parameter(String name, String url);

    /** Why a store must not be opened at a URL, and how to change it. Null if it may. */
    @Nullable
    String trap(String url);

    /** The URL without a parameter. */
    String without(String name, String url);

    /** Sets up the connections of our own pool, and returns the URL without parameters that would contradict it. */
    String prepare(Properties driverSettings, String url);

    /** Sets up our own pool. */
    void prepare(HikariConfig pool);
}
