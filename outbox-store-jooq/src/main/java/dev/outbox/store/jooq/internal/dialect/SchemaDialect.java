package dev.outbox.store.jooq.internal.dialect;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The tables of a database: how they are made, what the catalog says of them, and the rights to them. */
public interface SchemaDialect {
    /** Name of the resource with the DDL of a fresh schema. The scripts for upgrades have names that begin like it. */
    String ddlResource();

    /** Whether a store opened by URL creates the schema unless told otherwise. */
    boolean createsSchemaByDefault();

    /** Whether JDBC calls the schemas of this database catalogs, and SQL calls them databases. */
    boolean schemasAreCatalogs();

    /** The statement that gives a user the right to use the schema of the tables, or "" if no such right is needed. */
    String grantOfSchema(String user);

    /** All indexes of one of our tables. */
    List<IndexInfo> indexes(Connection connection, String table) throws SQLException;

    /** Whether statements name the indexes that they use, so that indexes must have the names of the DDL. */
    boolean namesIndexes();

    /** The statement that drops an index. */
    String dropIndex(String index, String table);

    /**
     * The problem and the fix, if the column topic of one of our tables is not compared character by character in the
     * order of the index. Otherwise null.
     */
    @Nullable
    String inexactTopic(Connection connection, String table) throws SQLException;

    /**
     * Lets the DDL of this transaction wait for locks for a second at most.
     *
     * @return the statement that puts the session back as it was, or "" if the limit ends with the transaction
     */
    String limitLocks(Statement statement) throws SQLException;

    /** Query: the clients that use a table, a text for each. Null if the database does not say. */
    @Nullable
    String lockHolders(String table);

    /**
     * Query with two columns: the schema of the tables that this connection finds, and the other schemas that have
     * tables of the same names, or null.
     */
    String whereabouts();

    /** The statement after which the database draws ids above all that are there. */
    String raiseIds();

    /** The lock that keeps the steps of concurrent creations in this process apart, with the looks before them. */
    Object schemaMonitor();

    /** Keeps concurrent creations of the schema apart until the transaction ends, if the database does not. */
    void lockSchema(Connection connection) throws SQLException;

    /** Query: the user of the connection, as GRANT wants it. */
    String grantee();
}
