package dev.outbox.servers;

import io.zonky.test.db.postgres.embedded.DefaultPostgresBinaryResolver;
import io.zonky.test.db.postgres.embedded.PgBinaryResolver;
import io.zonky.test.db.postgres.util.ArchUtils;
import java.io.FileNotFoundException;
import java.io.InputStream;
import java.util.Locale;

/** The major versions of PostgreSQL that are tested. */
public enum PostgresVersion {
    /** The oldest that is tested. */
    V16(16),

    /** What is meant where no version is named. */
    V17(17),

    /** The newest. */
    V18(18);

    private final int major;

    PostgresVersion(int major) {
        this.major = major;
    }

    int major() {
        return major;
    }

    /** Of the packaged server: the default version may have been replaced, as {@code -Poldest} does. */
    int packagedMajor() {
        String version = System.getProperty("outbox.test.postgres.version", "");
        return this == V17 && !version.isEmpty() ? Integer.parseInt(version.substring(0, version.indexOf('.'))) : major;
    }

    String image() {
        return "postgres:" + major + "-alpine";
    }

    /** What to leave its tests out by, and what they are tagged with. */
    String tag() {
        return this == V17 ? "postgres" : "postgres-" + major;
    }

    /**
     * Where the archive of the packaged server is: of the default version a jar's root, else a directory of our own.
     */
    PgBinaryResolver archive() {
        if (this == V17) {
            return DefaultPostgresBinaryResolver.INSTANCE;
        }
        return (system, hardware) -> {
            String name =
                    ("postgres-" + system + "-" + ArchUtils.normalize(hardware) + ".txz").toLowerCase(Locale.ROOT);
            InputStream archive = PostgresVersion.class.getResourceAsStream("/postgres-" + major + "/" + name);
            if (archive == null) {
                throw new FileNotFoundException("PostgreSQL " + major + " is not packaged as " + name);
            }
            return archive;
        };
    }
}
