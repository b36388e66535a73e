package dev.outbox.conformance;

import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReader;
import java.lang.module.ModuleReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What a module promises to its users: the public and protected members of the packages that it exports to everybody. */
final class PublicApi {
    private static final ToolProvider JAVAP =
            ToolProvider.findFirst("javap").orElseThrow(() -> new AssertionError("This JDK has no javap."));

    private static final Pattern EXPORTS = Pattern.compile("^ *exports [\\w.]+;", Pattern.MULTILINE);

    private PublicApi() {}

    /** The modules of this build on a class path that export something to everybody, by their folders. */
    static Map<Path, ModuleReference> modules(String classPath, Path root) {
        Map<Path, ModuleReference> modules = new TreeMap<>();
        for (String entry : classPath.split(File.pathSeparator, -1)) {
            // target/classes, or the jar in target
            Path path = Path.of(entry).toAbsolutePath().normalize();
            if (path.startsWith(root) && !path.endsWith("test-classes")) {
                ModuleFinder.of(path).findAll().stream()
                        .filter(module -> !module.descriptor().isAutomatic()
                                && !exported(module).isEmpty())
                        .forEach(module -> modules.put(path.resolve("../..").normalize(), module));
            }
        }
        return modules;
    }

    /** Whether a folder has the sources of a module that is deployed and exports a package to everybody. */
    static boolean isPublished(Path folder) {
        Path descriptor = folder.resolve("src/main/java/module-info.java");
        try {
            return Files.exists(descriptor)
                    && EXPORTS.matcher(Files.readString(descriptor)).find()
                    && !Files.readString(folder.resolve("pom.xml")).contains("<maven.deploy.skip>true<");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A line for each type and each of its members, as {@code javap} shows them: types by name, members sorted. */
    static List<String> of(ModuleReference module) throws IOException {
        Map<String, Set<String>> types = new TreeMap<>();
        Map<String, String> headers = new TreeMap<>();
        String type = "";
        for (String line : javap(module).lines().toList()) {
            if (line.endsWith("{")) {
                String header = line.substring(0, line.length() - 1).strip();
                type = name(header);
                headers.put(type, header);
                types.put(type, new TreeSet<>());
            } else if (line.startsWith("  ") && !line.strip().equals("static {};")) {
                types.getOrDefault(type, new TreeSet<>()).add(line);
            }
        }
        List<String> lines = new ArrayList<>();
        types.forEach((name, members) -> {
            if (isVisible(name, headers)) {
                lines.add(headers.get(name));
                lines.addAll(members);
            }
        });
        return lines;
    }

    private static String javap(ModuleReference module) throws IOException {
        Set<String> exported = exported(module);
        Path location = Path.of(module.location().orElseThrow());
        List<String> arguments = new ArrayList<>(List.of("-protected", "-cp", location.toString()));
        try (ModuleReader reader = module.open();
                Stream<String> files = reader.list()) {
            files.filter(file -> file.endsWith(".class") && file.contains("/") && !file.endsWith("package-info.class"))
                    .map(file ->
                            file.substring(0, file.length() - ".class".length()).replace('/', '.'))
                    .filter(name -> exported.contains(name.substring(0, name.lastIndexOf('.'))))
                    .forEach(arguments::add);
        }
        StringWriter said = new StringWriter();
        int status = JAVAP.run(new PrintWriter(said), new PrintWriter(said), arguments.toArray(new String[0]));
        if (status != 0) {
            throw new AssertionError("javap failed on " + location + ": " + said);
        }
        return said.toString();
    }

    private static Set<String> exported(ModuleReference module) {
        return module.descriptor().exports().stream()
                .filter(exports -> !exports.isQualified())
                .map(ModuleDescriptor.Exports::source)
                .collect(Collectors.toSet());
    }

    /** The name in a header such as {@code public final class a.B<T extends a.C> extends a.D}. */
    private static String name(String header) {
        String rest = header.replaceFirst("^.*?\\b(class|interface) ", "");
        return rest.split("[ <]", 2)[0];
    }

    private static boolean isVisible(String name, Map<String, String> headers) {
        String header = headers.getOrDefault(name, "");
        int nested = name.lastIndexOf('$');
        return (header.startsWith("public ") || header.startsWith("protected "))
                && (nested < 0 || isVisible(name.substring(0, nested), headers));
    }
}
