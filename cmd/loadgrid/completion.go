package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newCompletionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print a script for shell completion of commands and flags",
		Long: `completion prints a script that completes the commands and flags of loadgrid. Write it to
the file that your shell loads completions from, and start a new shell.`,
		Example: `  loadgrid completion bash > /etc/bash_completion.d/loadgrid
  loadgrid completion zsh > "${fpath[1]}/_loadgrid"
  loadgrid completion fish > ~/.config/fish/completions/loadgrid.fish
  loadgrid completion powershell > loadgrid.ps1`,
		Args:      checkArgs(cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs)),
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		RunE: func(cmd *cobra.Command, args []string) error {
			root, out := cmd.Root(), cmd.OutOrStdout()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(out, true)
			case "zsh":
				return root.GenZshCompletion(out)
			case "fish":
				return root.GenFishCompletion(out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(out)
			}

			return fmt.Errorf("no completion for %s", args[0]) // Args lets no other through
		},
	}
}
