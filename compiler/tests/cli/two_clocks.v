// Two clock inputs; the source of two_clocks.il:
//   yosys -q -p 'read_verilog two_clocks.v; hierarchy -check; write_rtlil two_clocks.il'
module two_clocks(input red, input blue, output reg [7:0] reds, output reg [7:0] blues);
  initial reds = 0;
  initial blues = 0;
  always @(posedge red) reds <= reds + 1;
  always @(posedge blue) blues <= blues + 1;
endmodule
